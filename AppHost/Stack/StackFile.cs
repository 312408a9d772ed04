using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Stack;

/// <summary>What the running stack offers to people and tools outside it.</summary>
internal sealed record StackEntrances
{
    public required EndpointReference Api { get; init; }

    public required IResourceWithConnectionString Mongo { get; init; }

    public required IResourceWithConnectionString Redis { get; init; }
}

internal static class StackFileExtensions
{
    /// <summary>
    /// Keeps <see cref="PlatformOptions.StackFile"/> up to date while the stack runs: its state, its addresses and the state
    /// of every resource, and beside it in <c>logs/</c> the console output of each. Both can be read by their owner only,
    /// since connection strings hold passwords. Does nothing without a stack file.
    /// </summary>
    public static void RecordStack(this IDistributedApplicationBuilder builder, PlatformOptions options, StackEntrances entrances)
    {
        if (options.StackFile is { } file)
        {
            builder.Services.AddSingleton(entrances);
            builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<StackFile>(services, file));
        }
    }
}

/// <summary>Writes the stack file; see <see cref="StackFileExtensions.RecordStack"/>.</summary>
internal sealed partial class StackFile(
    string file,
    StackEntrances entrances,
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService resourceLogs,
    IConfiguration configuration,
    ILogger<StackFile> logger) : IHostedLifecycleService, IDisposable
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        // For files, not for HTML: a connection string keeps its ampersands.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly ConcurrentDictionary<string, CustomResourceSnapshot> _snapshots = new(StringComparer.OrdinalIgnoreCase);
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;
    private readonly HashSet<string> _stopped = new(StringComparer.OrdinalIgnoreCase);
    private volatile bool _ending;
    private string _state = "starting";
    private string? _message;
    private JsonObject _addresses = [];

    /// <summary>Begins before the orchestrator starts, which returns only when everything that waits for something has started.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await WriteAsync();
        _watching = WatchAsync(_stopping.Token);
    }

    /// <summary>Ends when everything has stopped, so that the last lines of the consoles are copied.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _watching;
        _state = "stopped";
        await WriteAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _ending = true;
        return Task.CompletedTask;
    }

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
                _snapshots[change.Resource.Name] = change.Snapshot;
                Remember(change.Resource.Name, change.Snapshot.State?.Text);
                if (!IsShown(change.Resource, change.Snapshot))
                {
                    continue;
                }

                if (copied.Add(change.ResourceId))
                {
                    copies.Add(CopyLogAsync(change.Resource.Name, change.ResourceId, stoppingToken));
                }

                // From then on everything ends because it is told to.
                if (!_ending)
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

    // What passes through stopping was told to end.
    private void Remember(string name, string? state)
    {
        if (state == KnownResourceStates.Stopping)
        {
            _stopped.Add(name);
        }
        else if (!KnownResourceStates.TerminalStates.Contains(state))
        {
            _stopped.Remove(name);
        }
    }

    private async Task UpdateAsync(CancellationToken cancellationToken)
    {
        var (state, message) = Judge([.. model.Resources.Select(resource => (resource, _snapshots.GetValueOrDefault(resource.Name)))], _stopped, _state);
        if (state == "ready" && _state != "ready")
        {
            _addresses = await ResolveAddressesAsync(cancellationToken);
        }

        (_state, _message) = (state, message);
        await WriteAsync();
    }

    /// <summary>
    /// How the whole stack is. It is ready from when everything was healthy once, through checks that fail for a moment, until a service ends:
    /// whatever its exit code, a service that ends by itself has failed. A job has failed when its exit code says so.
    /// </summary>
    /// <param name="resources">The resources, as far as they are known.</param>
    /// <param name="stopped">The names of those that somebody stopped.</param>
    /// <param name="before">The state before.</param>
    internal static (string State, string? Message) Judge(
        IReadOnlyList<(IResource Resource, CustomResourceSnapshot? Snapshot)> resources, IReadOnlySet<string> stopped, string before)
    {
        string? absent = null;
        foreach (var (resource, snapshot) in resources)
        {
            var state = snapshot?.State?.Text;
            if (state == KnownResourceStates.FailedToStart)
            {
                return ("failed", $"{resource.Name} failed to start.");
            }

            if (!KnownResourceStates.TerminalStates.Contains(state))
            {
                continue;
            }

            var mayEnd = resource.Annotations.OfType<JobAnnotation>().Any() || !IsShown(resource, snapshot);
            if (!mayEnd && stopped.Contains(resource.Name))
            {
                absent ??= resource.Name;
            }
            else if (snapshot!.ExitCode is not (null or 0) || !mayEnd)
            {
                return ("failed", snapshot.ExitCode is { } code ? $"{resource.Name} ended with exit code {code}." : $"{resource.Name} ended.");
            }
        }

        if (absent is not null)
        {
            return ("incomplete", $"{absent} was stopped.");
        }

        // Not for ever what it was: somebody may have started what had failed again.
        return (before == "ready" || resources.All(entry => IsReady(entry.Resource, entry.Snapshot)) ? "ready" : "starting", null);
    }

    private static bool IsShown(IResource resource, CustomResourceSnapshot? snapshot)
        => resource is not ParameterResource && snapshot?.IsHidden != true;

    private static bool IsReady(IResource resource, CustomResourceSnapshot? snapshot)
        => !IsShown(resource, snapshot)
            || resource.Annotations.OfType<ExplicitStartupAnnotation>().Any()
            || (resource.Annotations.OfType<JobAnnotation>().Any()
                ? snapshot?.State?.Text == KnownResourceStates.Finished && snapshot.ExitCode == 0
                : snapshot?.HealthStatus == HealthStatus.Healthy);

    private async Task<JsonObject> ResolveAddressesAsync(CancellationToken cancellationToken) => new()
    {
        ["dashboard"] = DashboardLogin(),
        ["api"] = entrances.Api.Url,
        ["mongo"] = await entrances.Mongo.GetConnectionStringAsync(cancellationToken),
        ["redis"] = RedisUri(await entrances.Redis.GetConnectionStringAsync(cancellationToken)),
    };

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

    // StackExchange.Redis: host:port,password=...[,ssl=true]. Other clients and redis-cli -u: redis[s]://user:password@host:port
    private static string? RedisUri(string? connectionString)
    {
        if (connectionString is null)
        {
            return null;
        }

        var options = StackExchange.Redis.ConfigurationOptions.Parse(connectionString);
        // redis-cli takes an empty user for one of that name: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
        var user = options.User is { Length: > 0 } named ? named : "default";
        var login = options.Password is { Length: > 0 } password ? $"{user}:{Uri.EscapeDataString(password)}@" : "";
        return options.EndPoints.Count == 0
            ? null
            : $"{(options.Ssl ? "rediss" : "redis")}://{login}{StackExchange.Redis.EndPointCollection.ToString(options.EndPoints[0])}";
    }

    private async Task WriteAsync()
    {
        var content = new JsonObject
        {
            ["pid"] = Environment.ProcessId,
            ["state"] = _state,
            ["message"] = _message,
            ["dashboard"] = null,
            ["api"] = null,
            ["mongo"] = null,
            ["redis"] = null,
        };
        foreach (var (name, address) in _addresses)
        {
            content[name] = address?.DeepClone();
        }

        content["resources"] = new JsonObject(model.Resources
            .Select(resource => (resource, snapshot: _snapshots.GetValueOrDefault(resource.Name)))
            .Where(entry => IsShown(entry.resource, entry.snapshot))
            .Select(entry => KeyValuePair.Create(entry.resource.Name, (JsonNode?)entry.snapshot?.State?.Text)));

        // Renamed into place, so that a reader never sees half of it.
        var draft = $"{file}.{Environment.ProcessId}";
        var create = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            create.UnixCreateMode = OwnerOnly;
        }

        await using (var writer = new StreamWriter(draft, create))
        {
            await writer.WriteLineAsync(content.ToJsonString(Indented));
        }

        File.Move(draft, file, overwrite: true);
    }

    private async Task CopyLogAsync(string name, string resourceId, CancellationToken cancellationToken)
    {
        var directory = Path.Combine(Path.GetDirectoryName(file)!, "logs");
        Directory.CreateDirectory(directory);
        var open = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            open.UnixCreateMode = OwnerOnly;
        }

        try
        {
            await using var log = new StreamWriter(Path.Combine(directory, $"{name}.log"), open);
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
