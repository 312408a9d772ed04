using System.Collections.Immutable;
using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dcp;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Orchestration;

/// <summary>Starts the resources in the order that their waits allow, publishes their states, and stops dependents before what they depend on.</summary>
internal sealed partial class ApplicationOrchestrator(
    DistributedApplicationModel model,
    DcpExecutor executor,
    IDistributedApplicationEventing eventing,
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    DistributedApplicationExecutionContext executionContext,
    IHostApplicationLifetime lifetime,
    IServiceProvider services,
    ILogger<ApplicationOrchestrator> logger) : IHostedLifecycleService, IAsyncDisposable
{
    private const int SuffixLength = 8;
    private const string SuffixLetters = "abcdefghijklmnopqrstuvwxyz";

    private readonly CancellationTokenSource _running = new();
    private readonly Lock _gate = new();
    private readonly List<Task> _background = [];
    private readonly HashSet<string> _stopped = new(StringComparer.Ordinal);
    private ImmutableArray<ProcessInstance> _processes = [];
    private volatile bool _shuttingDown;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (eventing is DistributedApplicationEventing own)
        {
            own.UnobservedFailure = ex => LogHandlerFailed(logger, ex);
        }

        eventing.Subscribe<BeforeResourceStartedEvent>(WaitForDependenciesAsync);
        eventing.Subscribe<ConnectionStringAvailableEvent>(OnConnectionStringAvailableAsync);

        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _running.Token);
        Prepare();
        var launching = executor.LaunchAsync(_processes, OnProcessChangedAsync, starting.Token);
        foreach (var resource in model.Resources)
        {
            await PublishInitialStateAsync(resource);
        }

        foreach (var resource in model.Resources)
        {
            Background(() => InitializeAsync(resource));
        }

        await launching;
        Background(WatchOrchestratorAsync);

        // Every port must be known before a process starts, because its environment may hold any of them.
        await Task.WhenAll(model.Resources.Select(r => AllocateAsync(r, starting.Token)));
        await Task.WhenAll(_processes
            .Where(p => !p.Resource.HasAnnotationOfType<ExplicitStartupAnnotation>())
            .Select(p => StartResourceAsync(p, starting.Token)));
        await eventing.PublishAsync(new AfterResourcesCreatedEvent(services, model), starting.Token);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Stops everything, before other services of the host stop: they may want to see how it went.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _shuttingDown = true;
        await _running.CancelAsync();
        await StopInOrderAsync(cancellationToken);
        await executor.ShutDownAsync(cancellationToken);
        foreach (var resource in model.Resources)
        {
            logs.Complete(resource);
        }

        Task[] background;
        lock (_gate)
        {
            background = [.. _background];
        }

        await Task.WhenAll(background).WaitAsync(cancellationToken);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync() => await _running.CancelAsync();

    /// <summary>Starts a stopped resource, or one that waits, without waiting any longer.</summary>
    public async Task StartAsync(string instanceName, CancellationToken cancellationToken)
    {
        var process = Find(instanceName);
        if (process.Waiting is { } waiting)
        {
            await waiting.CancelAsync();
            return;
        }

        await process.Changing.WaitAsync(cancellationToken);
        try
        {
            await executor.StopAsync(process, cancellationToken);
            await executor.DeleteAsync(process, cancellationToken);
        }
        finally
        {
            process.Changing.Release();
        }

        await StartResourceAsync(process, cancellationToken, throwOnFailure: true);
    }

    /// <summary>Stops a resource.</summary>
    public async Task StopAsync(string instanceName, CancellationToken cancellationToken)
    {
        var process = Find(instanceName);
        await process.Changing.WaitAsync(cancellationToken);
        try
        {
            await executor.StopAsync(process, cancellationToken);
        }
        finally
        {
            process.Changing.Release();
        }
    }

    private ProcessInstance Find(string instanceName)
        => _processes.FirstOrDefault(p => string.Equals(p.Name, instanceName, StringComparison.OrdinalIgnoreCase))
            ?? throw new DistributedApplicationException($"The resource '{instanceName}' is not a process that can be started or stopped.");

    private static bool IsProcess(IResource resource) => resource is ExecutableResource or ProjectResource;

    /// <summary>Names the copies of each process and gives them their commands.</summary>
    private void Prepare()
    {
        var processes = ImmutableArray.CreateBuilder<ProcessInstance>();
        foreach (var resource in model.Resources.Where(IsProcess))
        {
            var instances = Enumerable.Range(0, resource.GetReplicaCount())
                .Select(index =>
                {
                    var suffix = RandomNumberGenerator.GetString(SuffixLetters, SuffixLength);
                    return new ResourceInstance($"{resource.Name}-{suffix}", suffix, index);
                })
                .ToImmutableArray();
            resource.Annotations.Add(new ResourceInstancesAnnotation(instances));
            processes.AddRange(instances.Select(instance => new ProcessInstance(resource, instance)));
            LifecycleCommands.AddTo(resource, this);
        }

        _processes = processes.ToImmutable();
    }

    private Task PublishInitialStateAsync(IResource resource)
    {
        var checks = resource.TryGetAnnotationsIncludingAncestorsOfType<HealthCheckAnnotation>(out var annotations)
            ? annotations.Select(a => new HealthReportSnapshot(a.Key, null, null, null)).ToImmutableArray()
            : [];
        var parent = ParentOf(resource);
        return notifications.PublishUpdateAsync(resource, snapshot => InitialState.Of(resource, snapshot, parent) with { HealthReports = checks });
    }

    private static IResource? ParentOf(IResource resource)
        => (resource as IResourceWithParent)?.Parent
            ?? resource.Annotations.OfType<ResourceRelationshipAnnotation>().LastOrDefault(r => r.Type == KnownRelationshipTypes.Parent)?.Resource;

    private async Task InitializeAsync(IResource resource)
    {
        try
        {
            switch (resource)
            {
                case IResourceWithConnectionString and ParameterResource:
                    await PublishParameterAsync((ParameterResource)resource);
                    await eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, services), _running.Token);
                    break;
                case ParameterResource parameter:
                    await PublishParameterAsync(parameter);
                    break;
                case ConnectionStringResource:
                    await eventing.PublishAsync(new BeforeResourceStartedEvent(resource, services), _running.Token);
                    await eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, services), _running.Token);
                    await SetStateAsync(resource, KnownResourceStates.Running);
                    break;
            }

            await eventing.PublishAsync(
                new InitializeResourceEvent(resource, eventing, logs, notifications, services), EventDispatchBehavior.BlockingConcurrent, _running.Token);
        }
        catch (OperationCanceledException) when (_running.IsCancellationRequested)
        {
            // The app host stops.
        }
#pragma warning disable CA1031 // whatever a handler throws is the failure of this one resource
        catch (Exception ex)
#pragma warning restore CA1031
        {
            await FailAsync(resource, resource.Name, ex);
        }
    }

    private Task PublishParameterAsync(ParameterResource parameter)
        => notifications.PublishUpdateAsync(parameter, snapshot =>
        {
            try
            {
                return snapshot with
                {
                    State = KnownResourceStates.Running,
                    Properties = snapshot.Properties.WithProperty(KnownProperties.Parameter.Value, parameter.ResolvedValue, parameter.Secret),
                };
            }
            catch (MissingParameterValueException ex)
            {
                logs.Append(parameter.Name, ex.Message, isError: true);
                return snapshot with { State = new ResourceStateSnapshot(KnownResourceStates.ValueMissing, KnownResourceStateStyles.Warn) };
            }
        });

    private Task SetStateAsync(IResource resource, string state)
        => notifications.PublishUpdateAsync(resource, snapshot => snapshot with { State = state });

    private async Task AllocateAsync(IResource resource, CancellationToken cancellationToken)
    {
        if (resource is ContainerResource container)
        {
            await FailContainerAsync(container);
            return;
        }

        if (resource is IResourceWithEndpoints && resource.HasAnnotationOfType<EndpointAnnotation>())
        {
            if (!IsProcess(resource))
            {
                return; // a custom resource allocates its own
            }

            await executor.AllocateAsync(resource, cancellationToken);
            await eventing.PublishAsync(
                new ResourceEndpointsAllocatedEvent(resource, services), EventDispatchBehavior.BlockingConcurrent, cancellationToken);
        }

        var urls = await ResourceUrls.CreateAsync(resource, executionContext, logs.GetLogger(resource), cancellationToken);
        await notifications.PublishUpdateAsync(resource, snapshot => urls.Length == 0 ? snapshot : snapshot with { Urls = urls });
    }

    private async Task FailContainerAsync(ContainerResource container)
    {
        var failure = new DistributedApplicationException(
            $"The container '{container.Name}' cannot run here: this profile runs no containers; install Docker or Podman and use the official Aspire packages, or start with --Platform:Engine=native.");
        foreach (var endpoint in container.Annotations.OfType<EndpointAnnotation>())
        {
            endpoint.AllocatedEndpointSnapshot.SetException(failure);
        }

        await FailAsync(container, container.Name, failure);
    }

    private async Task StartResourceAsync(ProcessInstance process, CancellationToken cancellationToken, bool throwOnFailure = false)
    {
        var resource = process.Resource;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _running.Token);
        await process.Changing.WaitAsync(cancellationToken);
        try
        {
            lock (_gate)
            {
                _stopped.Remove(process.Name);
            }

            // Before the first await of others: a user's "start" on a waiting resource finds it here.
            if (resource is IResourceWithConnectionString && process.Instance.Index == 0)
            {
                await eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, services), waiting.Token);
            }

            await notifications.PublishUpdateAsync(resource, process.Name, snapshot => snapshot with
            {
                State = new ResourceStateSnapshot(KnownResourceStates.Starting, KnownResourceStateStyles.Info),
                ExitCode = null,
                StartTimeStamp = null,
                StopTimeStamp = null,
                ResourceReadyEvent = null,
                HealthReports = [.. snapshot.HealthReports.Select(r => r with { Status = null, Description = null, ExceptionText = null })],
                Properties = snapshot.Properties.WithProperty(KnownProperties.Executable.Pid, null),
            });

            process.Waiting = waiting;
            try
            {
                await eventing.PublishAsync(new BeforeResourceStartedEvent(resource, services), waiting.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && !_running.IsCancellationRequested)
            {
                LogWaitEnded(logger, process.Name);
            }
            finally
            {
                process.Waiting = null;
            }

            await notifications.PublishUpdateAsync(resource, process.Name, snapshot => snapshot with
            {
                State = new ResourceStateSnapshot(KnownResourceStates.Starting, KnownResourceStateStyles.Info),
                Properties = snapshot.Properties.WithProperty(KnownProperties.Resource.WaitingFor, null),
            });
            await executor.StartAsync(process, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || _running.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
#pragma warning disable CA1031 // whatever stands in the way of a start is the failure of this one resource
        catch (Exception ex)
#pragma warning restore CA1031
        {
            await FailAsync(resource, process.Name, ex);
            if (throwOnFailure)
            {
                throw;
            }
        }
        finally
        {
            process.Changing.Release();
        }
    }

    private async Task WaitForDependenciesAsync(BeforeResourceStartedEvent started, CancellationToken cancellationToken)
    {
        if (started.Resource.HasAnnotationOfType<WaitAnnotation>())
        {
            await notifications.WaitForDependenciesAsync(started.Resource, cancellationToken);
        }
    }

    private async Task OnConnectionStringAvailableAsync(ConnectionStringAvailableEvent available, CancellationToken cancellationToken)
    {
        if (available.Resource is IResourceWithConnectionString resource)
        {
            var value = await resource.GetConnectionStringAsync(cancellationToken);
            await notifications.PublishUpdateAsync(resource, snapshot => snapshot with
            {
                Properties = snapshot.Properties.WithProperty(KnownProperties.Resource.ConnectionString, value, sensitive: true),
            });
        }

        // Only processes speak for the parts of theirs that have no life of their own; a custom resource does it itself.
        if (IsProcess(available.Resource))
        {
            foreach (var child in ChildrenOf(available.Resource).Where(c => c is IResourceWithConnectionString))
            {
                await eventing.PublishAsync(new ConnectionStringAvailableEvent(child, services), cancellationToken);
            }
        }
    }

    private IEnumerable<IResource> ChildrenOf(IResource resource)
        => model.Resources.Where(r => !IsProcess(r) && r is IResourceWithParent { Parent: var parent } && ReferenceEquals(parent, resource));

    private async Task OnProcessChangedAsync(ProcessInstance process, DcpExecutableStatus status)
    {
        var resource = process.Resource;
        await notifications.PublishUpdateAsync(resource, process.Name, snapshot => ProcessState.Apply(process, status, snapshot));
        foreach (var child in ChildrenOf(resource))
        {
            await notifications.PublishUpdateAsync(child, snapshot => snapshot with
            {
                State = ProcessState.StateOf(status),
                StartTimeStamp = status.StartupTimestamp ?? snapshot.StartTimeStamp,
                StopTimeStamp = status.FinishTimestamp ?? snapshot.StopTimeStamp,
            });
        }

        if (ProcessInstance.IsTerminal(status.State))
        {
            await TellStoppedAsync(resource, process.Name);
        }
    }

    /// <summary>Publishes ResourceStoppedEvent once for each end.</summary>
    private async Task TellStoppedAsync(IResource resource, string instanceName)
    {
        lock (_gate)
        {
            if (!_stopped.Add(instanceName))
            {
                return;
            }
        }

        if (notifications.TryGetCurrentState(instanceName, out var state))
        {
            await eventing.PublishAsync(
                new ResourceStoppedEvent(resource, services, state), EventDispatchBehavior.NonBlockingConcurrent, CancellationToken.None);
        }
    }

    private async Task FailAsync(IResource resource, string instanceName, Exception failure)
    {
        // Messages of our own are written for users; of anything else the whole story is needed.
        var expected = failure is DistributedApplicationException or NotSupportedException;
        logs.Append(instanceName, expected ? failure.Message : failure.ToString(), isError: true);
        LogFailed(logger, resource.Name, failure.Message);
        await notifications.PublishUpdateAsync(resource, instanceName, snapshot => snapshot with
        {
            State = new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
            StopTimeStamp = DateTime.UtcNow,
            Properties = snapshot.Properties.WithProperty(KnownProperties.Resource.WaitingFor, null),
        });
        await TellStoppedAsync(resource, instanceName);
    }

    /// <summary>Stops each process when all that depend on it have ended; those that are independent at the same time.</summary>
    private async Task StopInOrderAsync(CancellationToken cancellationToken)
    {
        var stops = new Dictionary<IResource, Task>(ReferenceEqualityComparer.Instance);
        var dependents = StopOrder.Dependents([.. model.Resources]);
        await Task.WhenAll(model.Resources.Select(r => Stop(r)));

        Task Stop(IResource resource)
        {
            if (!stops.TryGetValue(resource, out var stop))
            {
                stops[resource] = Task.CompletedTask; // ends a circle of references
                var before = dependents.GetValueOrDefault(resource, []).Select(Stop).ToArray();
                stops[resource] = stop = StopAfterAsync(resource, before);
            }

            return stop;
        }

        async Task StopAfterAsync(IResource resource, Task[] before)
        {
            await Task.WhenAll(before);
            LogStopping(logger, resource.Name);
            await Task.WhenAll(_processes.Where(p => ReferenceEquals(p.Resource, resource)).Select(async process =>
            {
                try
                {
                    await executor.StopAsync(process, cancellationToken);
                }
                catch (DistributedApplicationException ex)
                {
                    LogStopFailed(logger, process.Name, ex.Message); // dcp stops what is left
                }
            }));
        }
    }

    /// <summary>Without dcp nothing can be started or stopped any more: better to end than to show a frozen picture.</summary>
    private async Task WatchOrchestratorAsync()
    {
        try
        {
            await executor.WaitForExitAsync(_running.Token);
        }
        catch (OperationCanceledException) when (_running.IsCancellationRequested)
        {
            return;
        }

        if (!_shuttingDown)
        {
            LogOrchestratorGone(logger, executor.LastError ?? "it reported no error");
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    private void Background(Func<Task> run)
    {
        var task = Task.Run(run);
        lock (_gate)
        {
            _background.RemoveAll(t => t.IsCompletedSuccessfully);
            _background.Add(task);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The resource {Resource} failed to start: {Reason}")]
    private static partial void LogFailed(ILogger logger, string resource, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Resource} is started without waiting any longer.")]
    private static partial void LogWaitEnded(ILogger logger, string resource);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Stopping {Resource}; nothing that runs depends on it any more.")]
    private static partial void LogStopping(ILogger logger, string resource);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Resource} could not be stopped: {Reason}")]
    private static partial void LogStopFailed(ILogger logger, string resource, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The orchestrator dcp ended unexpectedly ({Reason}); the application stops.")]
    private static partial void LogOrchestratorGone(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A handler of an event failed.")]
    private static partial void LogHandlerFailed(ILogger logger, Exception exception);
}
