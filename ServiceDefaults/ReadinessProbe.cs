using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Platform.ServiceDefaults;

/// <summary>
/// Runs all health checks for many callers at once: callers that come while a run is under way, or shortly after it,
/// share its report. So probes put a bounded load on the servers behind the checks, also while these are down.
/// </summary>
internal sealed class ReadinessProbe(HealthCheckService checks, TimeProvider time, IOptions<HealthEndpointOptions> options)
{
    private readonly Lock _lock = new();
    private Task<HealthReport>? _latest;
    private long _finished;

    public Task<HealthReport> CheckAsync(CancellationToken cancellationToken)
    {
        Task<HealthReport> run;
        lock (_lock)
        {
            if (_latest is null || (_latest.IsCompleted && !IsFresh()))
            {
                // Not tied to the first caller: when it goes away, the others still want the report.
                _latest = RunAsync();
            }

            run = _latest;
        }

        return run.WaitAsync(cancellationToken);
    }

    private bool IsFresh() => time.GetElapsedTime(Volatile.Read(ref _finished)) < options.Value.CacheDuration;

    private async Task<HealthReport> RunAsync()
    {
        // Leaves the lock before any check runs.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var start = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(options.Value.Timeout, time);
        try
        {
            // WaitAsync as well, since a check may ignore its token.
            return await checks.CheckHealthAsync(deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            var late = new HealthReportEntry(
                HealthStatus.Unhealthy, $"The checks took longer than {options.Value.Timeout.TotalSeconds:0.###} s.",
                time.GetElapsedTime(start), null, null);
            return new HealthReport(new Dictionary<string, HealthReportEntry> { ["timeout"] = late }, time.GetElapsedTime(start));
        }
        finally
        {
            Volatile.Write(ref _finished, time.GetTimestamp());
        }
    }
}
