using System.Diagnostics.Metrics;
using Platform.Backup.Work;

namespace Platform.Backup.Agent;

/// <summary>What the agent measures. A figure that is not known is not reported.</summary>
internal sealed class BackupMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Platform.Backup";

    /// <summary>Declares the instruments.</summary>
    public BackupMetrics(IMeterFactory meters, AgentState state)
    {
        var meter = meters.Create(MeterName);
        Gauge("platform.backup.last_success", "s", "When the newest proven backup was whole, in seconds since 1970.", s => Unix(s.Newest?.Stop));
        Gauge("platform.backup.duration", "s", "How long the newest proven backup took.", s => (s.Newest?.Stop - s.Newest?.Start)?.TotalSeconds);
        Gauge("platform.backup.size", "By", "How much of the repository the newest proven backup takes.", s => s.Newest?.RepositoryBytes);
        Gauge("platform.backup.count", "{backup}", "How many backups there are.", s => s.Backups);
        Gauge("platform.backup.window.start", "s", "From when on every moment can be restored, in seconds since 1970.", s => Unix(s.Window.From));
        Gauge("platform.backup.window.end", "s", "About the last moment that can be restored, in seconds since 1970.", s => Unix(s.Window.Until));
        Gauge("platform.backup.archive.lag", "s", "For how long the log waits to be archived.", s => s.ArchiveLag.TotalSeconds);
        Gauge("platform.backup.archive.waiting", "{segment}", "How many segments of the log wait to be archived.", s => s.Archive.Waiting);
        Gauge("platform.backup.problems", "{problem}", "How many things a person has to look at.", s => s.Problems.Count);
        Gauge("platform.backup.drill.last", "s", "When a restore was tried last, in seconds since 1970.", s => Unix(s.Drill?.At));
        Gauge("platform.backup.drill.good", "{drill}", "Whether that went well: 1, or 0.", s => s.Drill is { } drill ? drill.IsGood ? 1 : 0 : null);
        Gauge("platform.backup.drill.restore.duration", "s", "How long it took until the copy answered.", s => s.Drill?.RestoreSeconds);
        Gauge("platform.backup.drill.findings", "{finding}", "How many things were not what they had been.", s => s.Drill?.Findings.Count);
        Gauge("platform.backup.drill.overdue", "s", "For how long the next one is due.", s =>
            s.DrillDue is { } due ? Math.Max(0, (s.Now - due).TotalSeconds) : null);
        Gauge("platform.backup.copy.lag", "s", "For how long the oldest object waits to be copied.", s => s.Copy?.LagSeconds);
        Gauge("platform.backup.copy.waiting", "{object}", "How many objects wait to be copied.", s => s.Copy?.Waiting);
        Gauge("platform.backup.copy.waiting.size", "By", "How much waits to be copied.", s => s.Copy?.WaitingBytes);
        Gauge("platform.backup.copy.last_success", "s", "When nothing waited to be copied last, in seconds since 1970.", s => Unix(s.Copy?.LastSuccess));
        meter.CreateObservableCounter(
            "platform.backup.copy.failures", () => state.CopyFailures, "{failure}", "How often a round of the copy failed.");
        meter.CreateObservableCounter(
            "platform.backup.failures", () => state.Failures, "{failure}", "How often a look, a backup, a verification or a drill failed.");

        void Gauge(string name, string unit, string description, Func<BackupStatus, double?> read) => meter.CreateObservableGauge(
            name,
            () => state.Status is { } status && read(status) is { } value ? (IEnumerable<Measurement<double>>)[new(value)] : [],
            unit,
            description);
    }

    private static double? Unix(DateTimeOffset? moment) => moment?.ToUnixTimeMilliseconds() / 1000.0;
}
