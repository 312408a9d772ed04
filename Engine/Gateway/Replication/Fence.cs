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

    /// <summary>This member may be primary from now on.</summary>
    /// <param name="postgres">The process that all of its PostgreSQL ends with.</param>
    public void Raise(ProcessMark postgres)
    {
        var path = PathOf(replicaSet.Self);
        var draft = path + ".new";
        File.WriteAllLines(
            draft, [postgres.ToString(), ProcessMark.Of(Environment.ProcessId)?.ToString() ?? "", options.Value.DataDirectory!]);
        File.Move(draft, path, overwrite: true);
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

    private string PathOf(Member member) => Path.Combine(options.Value.SocketDirectory!, $"member-{member.Number}.primary");

    [LoggerMessage(LogLevel.Warning, "Process {Process} of the former primary {Host} is killed")]
    private partial void LogKilling(int process, string host);
}
