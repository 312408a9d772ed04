using Microsoft.Extensions.Options;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>
/// Sees to it that a former primary is dead before the next one takes writes. Who is about to be primary writes down its processes first;
/// who was elected after it kills them, whatever state they are in: a process that was stopped would go on as primary when it is continued.
/// </summary>
internal sealed partial class Fence(IOptions<GatewayOptions> options, ReplicaSet replicaSet, ILogger<Fence> logger)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    // The standbys have cut themselves off, so it waits for nobody when it stops in good order.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1.5);

    /// <summary>This member may be primary from now on.</summary>
    /// <param name="postgres">The process that all of its PostgreSQL ends with.</param>
    public void Raise(ProcessMark postgres)
    {
        var gateway = ProcessMark.Of(Environment.ProcessId)?.ToString() ?? "";
        Write(PathOf(replicaSet.Self), postgres.ToString(), gateway, options.Value.DataDirectory!);
    }

    /// <summary>
    /// This member takes no writes any more, and stops its PostgreSQL: whoever is elected meanwhile gives that a moment, and leaves alone
    /// the gateway, which has clients to answer.
    /// </summary>
    public void Withdraw()
    {
        var path = PathOf(replicaSet.Self);
        try
        {
            if (File.Exists(path) && File.ReadAllLines(path) is [var postgres, _, var data])
            {
                Write(path, postgres, "", data);
            }
        }
        catch (IOException e)
        {
            // Then the next primary kills both, as it does with one that does not answer.
            LogNotWithdrawn(e.Message);
        }
    }

    /// <summary>This member is not primary any more: its PostgreSQL was stopped.</summary>
    public void Lower() => File.Delete(PathOf(replicaSet.Self));

    /// <summary>
    /// Kills every other member that may still be primary. Returns when none of their processes is left; throws
    /// <see cref="TimeoutException"/> when one does not end.
    /// </summary>
    public async Task ShutOthersOutAsync(CancellationToken cancellationToken)
    {
        foreach (var member in replicaSet.Others)
        {
            var path = PathOf(member);
            string[] lines;
            try
            {
                lines = await File.ReadAllLinesAsync(path, cancellationToken);
            }
            catch (FileNotFoundException)
            {
                // It is not primary, or has just ceased to be.
                continue;
            }

            if (lines is not [var postgres, var gateway, var data])
            {
                throw new InvalidDataException($"{path} does not say which processes {member.Host} has.");
            }

            if (gateway.Length == 0 && await EndsByItselfAsync(data, cancellationToken))
            {
                File.Delete(path);
                continue;
            }

            foreach (var process in (ProcessMark?[])[ProcessMark.Parse(postgres), ProcessMark.Parse(gateway)])
            {
                if (process is { } mark && mark.IsOf(data))
                {
                    LogKilling(mark.Id, member.Host);
                    mark.Kill();
                }
            }

            // Whatever became of the processes that were written down: when nobody holds the lock, no PostgreSQL runs on that data.
            await ClusterLock.UntilFreeAsync(
                ClusterLock.PathOf(data), s_patience, $"The PostgreSQL of {member.Host} was killed and does not end.", cancellationToken);

            File.Delete(path);
        }
    }

    private static void Write(string path, params string[] lines)
    {
        var draft = path + ".new";
        File.WriteAllLines(draft, lines);
        File.Move(draft, path, overwrite: true);
    }

    private static async Task<bool> EndsByItselfAsync(string data, CancellationToken cancellationToken)
    {
        try
        {
            await ClusterLock.UntilFreeAsync(ClusterLock.PathOf(data), s_grace, "PostgreSQL is still being stopped.", cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private string PathOf(Member member) => Path.Combine(options.Value.SocketDirectory!, $"member-{member.Number}.primary");

    [LoggerMessage(LogLevel.Warning, "Process {Process} of the former primary {Host} is killed")]
    private partial void LogKilling(int process, string host);

    [LoggerMessage(LogLevel.Warning, "The next primary is not told that this member's PostgreSQL is being stopped: {Reason}")]
    private partial void LogNotWithdrawn(string reason);
}
