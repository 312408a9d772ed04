using System.Globalization;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>Makes dcp's objects for the resources of the graph and follows them.</summary>
internal sealed partial class DcpExecutor(
    AppHostInfo appHost,
    IConfiguration configuration,
    DistributedApplicationExecutionContext executionContext,
    ResourceLoggerService logs,
    ILogger<DcpExecutor> logger) : IAsyncDisposable
{
    private static readonly TimeSpan s_serviceTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_watchRetry = TimeSpan.FromMilliseconds(200);

    // SIGTERM, 6 s, SIGKILL; another 6 s for children that hold its pipes.
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stopping = new();
    private readonly PortAllocator _ports = new();
    private readonly Dictionary<string, TaskCompletionSource<DcpServiceStatus>> _services = new(StringComparer.Ordinal);
    private readonly Dictionary<IResource, List<DcpServiceProducer>> _producers = new(ReferenceEqualityComparer.Instance);
    private readonly List<Task> _watches = [];
    private Dictionary<string, ProcessInstance> _instances = [];
    private Func<ProcessInstance, DcpExecutableStatus, Task>? _changed;
    private DcpProcess? _dcp;

    private bool RandomizePorts => bool.TryParse(configuration["DcpPublisher:RandomizePorts"], out var randomize) && randomize;

    private DcpProcess Dcp => _dcp ?? throw new InvalidOperationException("The orchestrator has not been started.");

    /// <summary>Completes when dcp is gone.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => Dcp.WaitForExitAsync(cancellationToken);

    /// <summary>The last error that dcp reported.</summary>
    public string? LastError => _dcp?.LastError;

    /// <summary>Starts dcp and the watches.</summary>
    public async Task LaunchAsync(
        IEnumerable<ProcessInstance> instances,
        Func<ProcessInstance, DcpExecutableStatus, Task> changed,
        CancellationToken cancellationToken)
    {
        _instances = instances.ToDictionary(i => i.Name, StringComparer.Ordinal);
        _changed = changed;
        var path = configuration["DcpPublisher:CliPath"] ?? appHost.Metadata("dcpclipath");
        _dcp = await DcpProcess.StartAsync(path, logger, cancellationToken);
        _watches.Add(WatchAsync("executables", WatchExecutablesAsync));
        _watches.Add(WatchAsync("services", WatchServicesAsync));
    }

    /// <summary>Finds out the ports of a resource's endpoints.</summary>
    /// <exception cref="DistributedApplicationException">A fixed port is taken.</exception>
    public async Task AllocateAsync(IResource resource, CancellationToken cancellationToken)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        var producers = new List<DcpServiceProducer>();
        lock (_producers)
        {
            _producers[resource] = producers;
        }

        await Task.WhenAll(endpoints.Select(endpoint => endpoint.IsProxied
            ? AllocateProxiedAsync(resource, endpoint, endpoints.Length == 1, producers, cancellationToken)
            : AllocateDirectAsync(resource, endpoint)));
    }

    /// <summary>Starts a process.</summary>
    public async Task StartAsync(ProcessInstance process, CancellationToken cancellationToken)
    {
        var definition = await ProcessDefinition.CreateAsync(
            process.Resource, process.Instance, executionContext, logs.GetLogger(process.Name), cancellationToken);
        List<DcpServiceProducer> producers;
        lock (_producers)
        {
            producers = _producers.GetValueOrDefault(process.Resource) ?? [];
        }

        var expressions = producers.Where(p => p.Port is null).Select(p => DcpTemplate.PortForServing(p.ServiceName)).ToArray();
        var annotations = new Dictionary<string, string> { ["resource-name"] = process.Resource.Name };
        if (producers.Count > 0)
        {
            annotations["service-producer"] = JsonSerializer.Serialize(producers, DcpJson.Default.ListDcpServiceProducer);
        }

        process.Environment = [.. definition.Environment.Select(v => new DcpEnvironmentVariable { Name = v.Key, Value = v.Value })];
        process.Arguments = definition.Arguments;
        process.Begin();
        process.Identify(await Dcp.Client.CreateAsync(
            new DcpExecutable
            {
                Metadata = new DcpMetadata { Name = process.Name, Annotations = annotations },
                Spec = new DcpExecutableSpec
                {
                    ExecutablePath = definition.Command,
                    WorkingDirectory = definition.WorkingDirectory,
                    Args = [.. definition.Arguments.Select(a => DcpTemplate.Escape(a, expressions))],
                    Env =
                    [
                        .. InheritedTemplates(definition.Environment),
                        .. definition.Environment.Select(v => new DcpEnvironmentVariable { Name = v.Key, Value = DcpTemplate.Escape(v.Value, expressions) }),
                    ],
                },
            },
            cancellationToken));
    }

    /// <summary>Stops a process and waits for its end; does nothing when it does not run.</summary>
    public async Task StopAsync(ProcessInstance process, CancellationToken cancellationToken)
    {
        if (!process.Created || process.Ended.IsCompleted)
        {
            return;
        }

        process.StopRequested = true;
        if (process.Status?.State is null or "" or "Starting")
        {
            // dcp ignores the wish to stop what it has not started yet.
            await DeleteAsync(process, cancellationToken);
            return;
        }

        await Dcp.Client.StopExecutableAsync(process.Name, cancellationToken);
        try
        {
            await process.Ended.WaitAsync(s_stopTimeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogStillRuns(logger, process.Name, s_stopTimeout.TotalSeconds);
            await DeleteAsync(process, cancellationToken);
        }
    }

    /// <summary>Removes the object of a process, so that it can be started again.</summary>
    public async Task DeleteAsync(ProcessInstance process, CancellationToken cancellationToken)
    {
        if (!process.Created)
        {
            return;
        }

        await FinishConsoleAsync(process, cancellationToken);
        await Dcp.Client.DeleteExecutableAsync(process.Name, cancellationToken);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_stopTimeout);
        while (await Dcp.Client.ExistsAsync(process.Name, timeout.Token))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), timeout.Token);
        }

        process.Forget();
    }

    /// <summary>Stops dcp with all that it still runs.</summary>
    public async Task ShutDownAsync(CancellationToken cancellationToken)
    {
        if (_dcp is null)
        {
            return;
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(_watches);
        await _dcp.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_watches);
        if (_dcp is { } dcp)
        {
            _dcp = null;
            await dcp.DisposeAsync();
        }
    }

    // dcp expands the variables that a process inherits too, and one that it cannot expand blocks every process.
    private static IEnumerable<DcpEnvironmentVariable> InheritedTemplates(IReadOnlyList<KeyValuePair<string, string>> own)
    {
        var names = own.Select(v => v.Key).ToHashSet(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable is { Key: string name, Value: string value } && !names.Contains(name) && value.Contains("{{", StringComparison.Ordinal))
            {
                yield return new DcpEnvironmentVariable { Name = name, Value = DcpTemplate.Escape(value, []) };
            }
        }
    }

    private async Task AllocateProxiedAsync(
        IResource resource,
        EndpointAnnotation endpoint,
        bool isOnly,
        List<DcpServiceProducer> producers,
        CancellationToken cancellationToken)
    {
        var publicPort = RandomizePorts ? null : endpoint.Port;
        var replicas = resource.GetReplicaCount();
        if (replicas > 1 && endpoint.TargetPort is not null)
        {
            throw new DistributedApplicationException(
                $"The resource '{resource.Name}' has {replicas} replicas, so its endpoint '{endpoint.Name}' must not have a fixed target port.");
        }

        if (publicPort is not null && publicPort == endpoint.TargetPort)
        {
            throw new DistributedApplicationException(
                $"The endpoint '{endpoint.Name}' of the resource '{resource.Name}' has {publicPort} as public and as target port, which a proxy makes impossible; leave one out or set isProxied to false.");
        }

        CheckFree(resource, endpoint, publicPort);
        var service = isOnly ? resource.Name : $"{resource.Name}-{endpoint.Name}";
        var status = new TaskCompletionSource<DcpServiceStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_services)
        {
            _services[service] = status;
        }

        int? targetPort = replicas > 1 ? null : endpoint.TargetPort ?? _ports.Allocate();
        lock (producers)
        {
            producers.Add(new DcpServiceProducer { ServiceName = service, Address = endpoint.TargetHost, Port = targetPort });
        }

        await Dcp.Client.CreateAsync(
            new DcpService
            {
                Metadata = new DcpMetadata
                {
                    Name = service,
                    Annotations = new() { ["resource-name"] = resource.Name, ["endpoint-name"] = endpoint.Name },
                },
                Spec = new DcpServiceSpec
                {
                    Protocol = endpoint.Protocol.ToString().ToUpperInvariant(),
                    Address = "localhost",
                    AddressAllocationMode = "Localhost",
                    Port = publicPort,
                },
            },
            cancellationToken);
        DcpServiceStatus known;
        try
        {
            known = await status.Task.WaitAsync(s_serviceTimeout, cancellationToken);
        }
        catch (TimeoutException ex)
        {
            throw new DistributedApplicationException(
                $"The orchestrator found no port for the endpoint '{endpoint.Name}' of the resource '{resource.Name}' within {s_serviceTimeout.TotalSeconds} s.", ex);
        }

        endpoint.AllocatedEndpoint = new AllocatedEndpoint(
            endpoint,
            known.EffectiveAddress!,
            known.EffectivePort!.Value,
            targetPort?.ToString(CultureInfo.InvariantCulture) ?? DcpTemplate.PortForServing(service));
    }

    private Task AllocateDirectAsync(IResource resource, EndpointAnnotation endpoint)
    {
        CheckFree(resource, endpoint, endpoint.Port);
        var port = endpoint.Port ?? _ports.Allocate();
        endpoint.AllocatedEndpoint = new AllocatedEndpoint(
            endpoint, "localhost", port, (endpoint.TargetPort ?? port).ToString(CultureInfo.InvariantCulture));
        return Task.CompletedTask;
    }

    // dcp would try again for a while without a word.
    private static void CheckFree(IResource resource, EndpointAnnotation endpoint, int? port)
    {
        if (port is { } fixedPort && !PortAllocator.IsFree(fixedPort))
        {
            throw new DistributedApplicationException(
                $"Port {fixedPort} of the endpoint '{endpoint.Name}' of the resource '{resource.Name}' is taken by another program.");
        }
    }

    private async Task WatchAsync(string what, Func<CancellationToken, Task> watch)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await watch(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception ex) when (ex is HttpRequestException or IOException or DcpException or JsonException)
            {
                LogWatchInterrupted(logger, what, ex.Message);
            }

            // The server ends watches from time to time; a new one tells the state of every object again.
            await Task.Delay(s_watchRetry, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WatchServicesAsync(CancellationToken cancellationToken)
    {
        await foreach (var change in Dcp.Client.WatchServicesAsync(cancellationToken))
        {
            if (change is { Type: not "DELETED", Object.Status: { EffectiveAddress.Length: > 0, EffectivePort: > 0 } status })
            {
                TaskCompletionSource<DcpServiceStatus>? waiting;
                lock (_services)
                {
                    waiting = _services.GetValueOrDefault(change.Object.Metadata.Name);
                }

                waiting?.TrySetResult(status);
            }
        }
    }

    private async Task WatchExecutablesAsync(CancellationToken cancellationToken)
    {
        await foreach (var change in Dcp.Client.WatchExecutablesAsync(cancellationToken))
        {
            // A deleted object still says "Stopping"; whoever deleted it knows.
            if (change.Type != "DELETED"
                && change.Object.Status is { } status
                && _instances.TryGetValue(change.Object.Metadata.Name, out var process)
                && process.Update(change.Object.Metadata.Uid, status))
            {
                await OnChangedAsync(process, status, cancellationToken);
            }
        }
    }

    private async Task OnChangedAsync(ProcessInstance process, DcpExecutableStatus status, CancellationToken cancellationToken)
    {
        if (status.State is "Running" or "Stopping" or "Finished" or "Terminated")
        {
            process.ReadConsole(() => new ConsoleReader(Dcp.Client, logs, process.Name, logger));
        }

        if (status.State is "FailedToStart" or "Unknown")
        {
            await ReadReasonAsync(process, cancellationToken);
        }

        if (ProcessInstance.IsTerminal(status.State))
        {
            // Before the state is published, so that whoever reacts to it finds the last lines.
            await FinishConsoleAsync(process, cancellationToken);
        }

        if (_changed is not null)
        {
            await _changed(process, status);
        }
    }

    private static async Task FinishConsoleAsync(ProcessInstance process, CancellationToken cancellationToken)
    {
        if (process.TakeConsole() is { } console)
        {
            await console.FinishAsync(cancellationToken);
        }
    }

    // Only the system log says why; it is a line of tab-separated fields: time, level, component, message, JSON.
    private async Task ReadReasonAsync(ProcessInstance process, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var line in Dcp.Client.ReadLogAsync(process.Name, "system", follow: false, skip: 0, cancellationToken))
            {
                LogTimestamp.TrySplit(line, out _, out var text);
                var fields = text.Split('\t', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Any(f => f.StartsWith("err", StringComparison.OrdinalIgnoreCase)))
                {
                    logs.Append(process.Name, string.Join(' ', fields.SkipWhile(f => !f.StartsWith("err", StringComparison.OrdinalIgnoreCase)).Skip(1)), isError: true);
                }
            }
        }
        catch (DcpException ex)
        {
            LogNoReason(logger, process.Name, ex.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch of {What} was interrupted and is begun again: {Reason}")]
    private static partial void LogWatchInterrupted(ILogger logger, string what, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Resource} still runs {Seconds} s after it was asked to stop; it is removed.")]
    private static partial void LogStillRuns(ILogger logger, string resource, double seconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Why {Resource} failed is not known: {Reason}")]
    private static partial void LogNoReason(ILogger logger, string resource, string reason);
}
