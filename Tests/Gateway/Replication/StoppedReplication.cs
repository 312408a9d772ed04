using System.Globalization;
using System.Runtime.InteropServices;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Members that live and answer, and get nothing of what the primary writes: what receives it there stands still until this is disposed.</summary>
internal sealed partial class StoppedReplication : IDisposable
{
    private const int StopNow = 19;
    private const int GoOn = 18;

    private readonly List<int> _receivers = [];

    /// <summary>Stops what receives the primary's log on members, which must follow it.</summary>
    public static StoppedReplication Of(params IEnumerable<ReplicaSetMember> members)
    {
        var stopped = new StoppedReplication();
        foreach (var member in members)
        {
            var receiver = ReceiverOf(member);
            Assert(receiver is not null, $"Member {member.Number} follows no primary. {member.Output}");
            Assert(Kill(receiver!.Value, StopNow) == 0, $"What receives on member {member.Number} cannot be stopped.");
            stopped._receivers.Add(receiver.Value);
        }

        return stopped;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var receiver in _receivers)
        {
            // One that has ended meanwhile has a successor that was never stopped.
            _ = Kill(receiver, GoOn);
        }
    }

    private static int? ReceiverOf(ReplicaSetMember member)
    {
        if (member.Postgres is not { } server)
        {
            return null;
        }

        foreach (var child in File.ReadAllText($"/proc/{server}/task/{server}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (File.Exists($"/proc/{child}/cmdline") && File.ReadAllText($"/proc/{child}/cmdline").Contains("walreceiver", StringComparison.Ordinal))
            {
                return int.Parse(child, CultureInfo.InvariantCulture);
            }
        }

        return null;
    }

    private static void Assert(bool holds, string message) => Xunit.Assert.True(holds, message);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
