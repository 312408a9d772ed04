using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Stack;

/// <summary>Writes the stack file; see <see cref="StackFileExtensions.RecordStack"/>.</summary>
/// <remarks>
/// A line <c>KEY=VALUE</c> for each thing that is known: <c>pid</c>, <c>state</c>, <c>message</c>, <c>engine</c>,
/// <c>data</c> (the data directory), <c>warning</c>, <c>address.NAME</c> and <c>resource.NAME</c>. Any program reads it, a shell script too, without a parser.
/// </remarks>
internal sealed partial class StackFile(
    string file,
    PlatformOptions options,
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService resourceLogs,
    IConfiguration configuration,
    IHostApplicationLifetime lifetime,
    ILogger<StackFile> logger) : IHostedLifecycleService, IDisposable
{
    private readonly FollowedResources _resources = new(model);
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;
    private string _state = StackState.Starting;
    private string? _message;
    private FirstCause? _cause;
    private IReadOnlyList<(string Name, string? Address)> _addresses = [];

    /// <summary>
    /// Begins before the orchestrator starts, which returns only when everything that waits for something has started.
    /// </summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await WriteAsync();
        _watching = WatchAsync(_stopping.Token);
    }

    /// <summary>Ends when everything has stopped, so that the last lines of the consoles are copied.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        // A host for tests is stopped again when it is disposed of.
        if (_state == StackState.Stopped)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _watching;
        _state = StackState.Stopped;
        await WriteAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _stopping.Dispose();

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        var copies = new List<Task>();
        try
        {
            var copied = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                _resources.Follow(change);
                if (!StackState.IsShown(change.Resource, change.Snapshot))
                {
                    continue;
                }

                if (copied.Add(change.ResourceId))
                {
                    copies.Add(CopyLogAsync(change.Resource.Name, change.ResourceId, stoppingToken));
                }

                // From then on everything ends because it is told to.
                if (!lifetime.ApplicationStopping.IsCancellationRequested)
                {
                    await UpdateAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The stack stops; the last lines are still copied.
        }

        await Task.WhenAll(copies);
    }

    private async Task UpdateAsync(CancellationToken cancellationToken)
    {
        var (state, message) = StackState.Judge(_resources.All, _resources.Stopped, _state);
        if (state == StackState.Ready && _state != StackState.Ready)
        {
            _addresses = await ResolveAddressesAsync(cancellationToken);
        }

        if (_resources.Cause is not { } cause)
        {
            (_cause, _message) = (null, message);
        }
        else if (cause != _cause)
        {
            var said = ConsoleLine.WhatItSaid(
                cause.Sentence, await resourceLogs.SettledLinesAsync(cause.Resource, count: 10, cancellationToken));
            if (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                return;
            }

            (_cause, _message) = (cause, said);
        }

        _state = state;
        await WriteAsync();
    }

    private async Task<IReadOnlyList<(string Name, string? Address)>> ResolveAddressesAsync(
        CancellationToken cancellationToken)
    {
        List<(string, string?)> addresses = [("dashboard", DashboardLogin())];
        foreach (var entry in model.Resources.SelectMany(resource => resource.Annotations.OfType<StackEntry>()))
        {
            addresses.Add((entry.Name, await entry.ResolveAsync(cancellationToken)));
        }

        return addresses;
    }

    private string? DashboardLogin()
    {
        var dashboard = configuration["ASPNETCORE_URLS"]?.Split(';')[0].TrimEnd('/');
        return (dashboard, configuration["AppHost:BrowserToken"]) switch
        {
            (null, _) => null,
            (_, null or "") => dashboard,
            var (url, token) => $"{url}/login?t={token}",
        };
    }

    private async Task WriteAsync()
    {
        string[] lines =
        [
            OwnerFile.Line("pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)),
            OwnerFile.Line("state", _state),
            OwnerFile.Line("message", _message),
            OwnerFile.Line("engine", options.EngineChoice.ToString()),
            OwnerFile.Line("data", options.DataDirectory),
            OwnerFile.Line("at-rest", options.EncryptAtRest ? "encrypted" : "plain"),
            .. options.Warning is { } warning ? [OwnerFile.Line("warning", warning)] : Array.Empty<string>(),
            .. _addresses.Select(entry => OwnerFile.Line($"address.{entry.Name}", entry.Address)),
            .. _resources.All.Where(entry => StackState.IsShown(entry.Resource, entry.Snapshot))
                .Select(entry => OwnerFile.Line($"resource.{entry.Resource.Name}", entry.Snapshot?.State?.Text)),
        ];
        await OwnerFile.WriteAsync(file, lines);
    }

    private async Task CopyLogAsync(string name, string resourceId, CancellationToken cancellationToken)
    {
        var directory = Path.Combine(Path.GetDirectoryName(file)!, "logs");
        Directory.CreateDirectory(directory);
        try
        {
            await using var log = new StreamWriter(
                Path.Combine(directory, $"{name}.log"), OwnerOnly.Options(FileMode.Create, FileShare.ReadWrite));
            await foreach (var lines in resourceLogs.WatchAsync(resourceId).WithCancellation(cancellationToken))
            {
                foreach (var line in lines)
                {
                    await log.WriteLineAsync(ConsoleLine.Text(line.Content));
                }

                await log.FlushAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The stack stops.
        }
        catch (IOException exception)
        {
            LogCopyFailed(name, exception.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The console log of {Resource} is no longer copied: {Reason}")]
    private partial void LogCopyFailed(string resource, string reason);
}
