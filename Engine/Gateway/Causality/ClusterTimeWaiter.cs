using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Replication;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Causality;

/// <summary>
/// Waits until a read sees all that happened before a time
/// (https://www.mongodb.com/docs/manual/core/read-isolation-consistency-recency/#causal-consistency). The primary has it. A secondary asks the
/// primary how far its log goes now, which is beyond everything that anybody can have heard of, and waits until it has replayed that.
/// </summary>
internal sealed class ClusterTimeWaiter(
    ReplicaSet replicaSet, MemberState state, IMemberMessages messages, BackendPool pool, LogicalClock clock, TimeProvider time)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_firstLook = TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond / 5);
    private static readonly TimeSpan s_longestLook = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits for it.</summary>
    /// <param name="cancellationToken">Ends the wait: the time of the command is over, or its client is gone.</param>
    public async ValueTask ReachAsync(CancellationToken cancellationToken)
    {
        while (!state.IsPrimary)
        {
            var changed = state.Changed;
            if (await AskAsync(cancellationToken) is { } position)
            {
                await ReplayAsync(position, cancellationToken);
                return;
            }

            // There is no primary, or it has just ended: an election is under way.
            await Task.WhenAny(changed, Task.Delay(s_pause, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>How far the primary's log goes; null when there is none that says so.</summary>
    private async ValueTask<long?> AskAsync(CancellationToken cancellationToken)
    {
        if (replicaSet.Primary is not { } primary || primary == replicaSet.Self)
        {
            return null;
        }

        try
        {
            var answer = await messages.AskAsync(primary, new BsonDocument(LogPosition.MessageName, state.Term), cancellationToken);
            clock.Advance(answer["time"].AsBsonTimestamp.Value);
            return answer["position"].AsInt64;
        }
        catch (MemberUnreachableException)
        {
            return null;
        }
    }

    private async ValueTask ReplayAsync(long position, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(null, BackendShare.Gateway, cancellationToken);
        for (var look = s_firstLook; ; look = look * 2 > s_longestLook ? s_longestLook : look * 2)
        {
            if (await lease.Connection.Command(Statements.HasReplayed).With(0, position).SingleAsync<bool>(cancellationToken))
            {
                return;
            }

            await Task.Delay(look, time, cancellationToken);
        }
    }
}
