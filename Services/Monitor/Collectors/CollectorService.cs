using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Collectors;

/// <summary>Asks each collector, every <see cref="MonitorOptions.Interval"/>; one that fails or takes too long spoils nothing of the others.</summary>
internal sealed partial class CollectorService(
    IEnumerable<ICollector> collectors, CollectedMetrics metrics, IOptions<MonitorOptions> options, TimeProvider time, ILogger<CollectorService> logger)
    : BackgroundService
{
    private const string NoAnswer = "there was no answer in time";

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    // What each was asked last, which may go on after its deadline.
    private readonly ConcurrentDictionary<ICollector, Task> _late = new();

    private readonly TimeSpan _interval = options.Value.Interval;

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        // Each on its own: one that blocks its thread, as a disk that hangs does, keeps nobody else waiting.
        Task.WhenAll(collectors.Select(collector => Task.Run(() => RunAsync(collector, stoppingToken), stoppingToken)));

    private async Task RunAsync(ICollector collector, CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(_interval, time);
            string? problem = null;
            do
            {
                var before = problem;
                problem = await RoundAsync(collector, stoppingToken);
                if (problem is not null && problem != before)
                {
                    LogFailed(collector.Name, problem);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The monitor stops.
        }
    }

    /// <summary>One round of a collector: what it found is shown, and whether it was answered.</summary>
    /// <returns>What kept it from it; null for nothing.</returns>
    internal async Task<string?> RoundAsync(ICollector collector, CancellationToken stoppingToken)
    {
        if (_late.TryGetValue(collector, out var late) && !late.IsCompleted)
        {
            // It blocks somewhere still: a second one would block there, too.
            metrics.Set(collector.Name, [new(MetricCatalogue.CollectorUp, 0, collector.Name)]);
            return NoAnswer;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        deadline.CancelAfter(_interval < s_longest ? _interval : s_longest);
        var began = Stopwatch.GetTimestamp();
        string? problem = null;
        IReadOnlyList<Sample> found = [];
        try
        {
            var asking = Task.Run(() => collector.CollectAsync(deadline.Token), CancellationToken.None);
            _late[collector] = asking;
            found = await asking.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            problem = NoAnswer;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever it is, it is shown as a collector that is down; the others go on.
            problem = exception.Message.Split('\n')[0].Trim();
        }

        metrics.Set(collector.Name, [
            .. found,
            new(MetricCatalogue.CollectorUp, problem is null ? 1 : 0, collector.Name),
            new(MetricCatalogue.CollectorDuration, Stopwatch.GetElapsedTime(began).TotalSeconds, collector.Name),
        ]);
        return problem;
    }

    [LoggerMessage(LogLevel.Warning, "The collector {Collector} found nothing: {Problem}")]
    private partial void LogFailed(string collector, string problem);
}
