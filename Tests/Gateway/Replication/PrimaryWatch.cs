using System.Diagnostics;

namespace Platform.Tests.Gateway.Replication;

/// <summary>
/// Asks all members all the time whether they take writes. A member that says so twice in a row, without having said otherwise, took
/// writes between the first answer and the second question: if two did so at the same time, there were two primaries.
/// </summary>
internal sealed class PrimaryWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly List<Reign> _reigns = [];
    private readonly Task _watching;

    /// <summary>Starts it.</summary>
    public PrimaryWatch(ReplicaSetFixture set) => _watching = Task.WhenAll(set.Members.Select(m => Task.Run(() => WatchAsync(m))));

    /// <summary>Pairs of reigns at the same time.</summary>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        await _ended.CancelAsync();
        await _watching;
        return
        [
            .. from one in _reigns
               from other in _reigns
               where one.Member < other.Member && one.Start < other.End && other.Start < one.End
               select $"{one} and {other}",
        ];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _watching;
        _ended.Dispose();
    }

    private async Task WatchAsync(ReplicaSetMember member)
    {
        Reign? reign = null;
        while (!_ended.IsCancellationRequested)
        {
            var asked = Stopwatch.GetTimestamp();
            var hello = await member.HelloAsync(CancellationToken.None);
            var answered = Stopwatch.GetTimestamp();
            if (hello?["isWritablePrimary"].AsBoolean != true)
            {
                reign = null;
                await Task.Delay(hello is null ? 50 : 10);
                continue;
            }

            var election = hello["electionId"].AsObjectId.ToString();
            if (reign is null || reign.Election != election)
            {
                reign = new Reign(member.Number, election, answered) { End = answered };
                lock (_reigns)
                {
                    _reigns.Add(reign);
                }
            }
            else
            {
                reign.End = asked;
            }

            await Task.Delay(10);
        }
    }

    private sealed record Reign(int Member, string Election, long Start)
    {
        public long End { get; set; }
    }
}
