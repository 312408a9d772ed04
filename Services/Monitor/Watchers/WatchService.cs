using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Monitor.Alerting;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Watchers;

/// <summary>
/// Asks Prometheus and Alertmanager, and tells people when they do not watch. Meanwhile it keeps Alertmanager from taking for resolved what merely nobody
/// evaluates: an alert of its own inhibits all others.
/// </summary>
internal sealed partial class WatchService(
    IOptions<MonitorOptions> options, MonitoringWatch watch, OwnChannels channels, TimeProvider time, ILogger<WatchService> logger) : BackgroundService
{
    private readonly MonitorOptions _options = options.Value;
    private readonly HttpClient _prometheus = ServerUrl.ClientOf(
        options.Value.Prometheus, new SocketsHttpHandler { UseProxy = false }, Patience(options.Value));

    private readonly AlertmanagerClient _alertmanager = new(options.Value.Alertmanager, Patience(options.Value));

    // How long after the end of a silence alerts are still kept from being told: until the rules were evaluated, and what fires was sent again.
    private DateTimeOffset _settled = DateTimeOffset.MinValue;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _prometheus.Dispose();
        _alertmanager.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(_options.Probe, time);
            do
            {
                await LookAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var evaluates = EvaluatesAsync(cancellationToken);
        var answers = AnsweredAsync("Alertmanager", _alertmanager.IsReadyAsync(cancellationToken), cancellationToken);
        watch.Saw(await evaluates, await answers);
        if (watch.Look() is { } change)
        {
            if (change.Ended is { } ended)
            {
                _settled = ended + _options.Silence;
            }

            channels.Tell(WatchMessage.Of(change, change.Ended is null ? null : await FiringAsync(cancellationToken)));
        }

        if (watch.Current is { } silence)
        {
            await InhibitAsync(silence.Since, time.GetUtcNow() + _options.Silence, cancellationToken);
        }
        else if (time.GetUtcNow() < _settled)
        {
            await InhibitAsync(_settled - _options.Silence, _settled, cancellationToken);
        }
    }

    private async Task InhibitAsync(DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken) =>
        await AnsweredAsync("Alertmanager", _alertmanager.InhibitAsync(since, until, cancellationToken), cancellationToken);

    private async Task<IReadOnlyCollection<string>?> FiringAsync(CancellationToken cancellationToken)
    {
        IReadOnlyCollection<string>? names = null;
        await AnsweredAsync("Alertmanager", AskAsync(), cancellationToken);
        return names;

        async Task<bool> AskAsync()
        {
            var alerts = await _alertmanager.AlertsAsync(cancellationToken);
            names = [.. alerts.Where(alert => !alert.IsOwn).Select(alert => alert.Name).Distinct().Order(StringComparer.Ordinal)];
            return true;
        }
    }

    // Whether any group of rules was evaluated lately: that it answers says only that the process runs.
    private Task<bool> EvaluatesAsync(CancellationToken cancellationToken)
    {
        return AnsweredAsync("Prometheus", AskAsync(), cancellationToken);

        async Task<bool> AskAsync()
        {
            using var response = await _prometheus.GetAsync("api/v1/rules?type=alert&exclude_alerts=true", cancellationToken);
            response.EnsureSuccessStatusCode();
            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            var groups = document.RootElement.GetProperty("data").GetProperty("groups").EnumerateArray().ToList();
            var oldest = time.GetUtcNow() - (_options.Interval * 3);
            return groups.Count > 0 && groups.All(group => group.GetProperty("lastEvaluation").GetDateTimeOffset() >= oldest);
        }
    }

    private async Task<bool> AnsweredAsync(string server, Task<bool> question, CancellationToken cancellationToken)
    {
        try
        {
            return await question;
        }
        catch (Exception exception) when (
            exception is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            NoAnswer(server, exception.Message);
            return false;
        }
    }

    private static TimeSpan Patience(MonitorOptions options) => options.Probe < TimeSpan.FromSeconds(2) ? TimeSpan.FromSeconds(2) : options.Probe;

    [LoggerMessage(LogLevel.Debug, "{Server} does not answer as it should: {Reason}")]
    private partial void NoAnswer(string server, string reason);
}
