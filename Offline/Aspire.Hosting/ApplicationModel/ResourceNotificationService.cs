using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// Knows the state of every resource instance, tells watchers of each change, and waits for states. Names are compared without case.
/// A wait that fails or is cancelled says what the resource was doing: its state, health reports, last console lines, and the same for
/// what it was itself waiting for.
/// </summary>
public partial class ResourceNotificationService : IDisposable
{
    private readonly ILogger<ResourceNotificationService> _logger;
    private readonly IServiceProvider _services;
    private readonly ResourceLoggerService _logs;
    private readonly CancellationTokenSource _stopping;

    // Guards _states and _watchers, so that a new watcher's first events and the following changes have no gap between them.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Instance> _instances = new(StringComparer.OrdinalIgnoreCase);
    private ImmutableList<ChannelWriter<ResourceEvent>> _watchers = [];

    /// <summary>Creates the service; watches end when the app host stops.</summary>
    public ResourceNotificationService(
        ILogger<ResourceNotificationService> logger,
        IHostApplicationLifetime hostApplicationLifetime,
        IServiceProvider serviceProvider,
        ResourceLoggerService resourceLoggerService)
    {
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentNullException.ThrowIfNull(hostApplicationLifetime);
        ArgumentNullException.ThrowIfNull(serviceProvider);
        ArgumentNullException.ThrowIfNull(resourceLoggerService);
        _logger = logger;
        _services = serviceProvider;
        _logs = resourceLoggerService;
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(hostApplicationLifetime.ApplicationStopping);
    }

    private WaitBehavior DefaultWaitBehavior
        => _services.GetService<IOptions<ResourceNotificationServiceOptions>>()?.Value.DefaultWaitBehavior
            ?? WaitBehavior.StopOnResourceUnavailable;

    /// <summary>Publishes a new state of all instances of a resource.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="stateFactory">Makes the new state from the last one; called once per instance.</param>
    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(stateFactory);
        foreach (var id in resource.GetResolvedResourceNames())
        {
            Publish(resource, id, stateFactory);
        }

        return Task.CompletedTask;
    }

    /// <summary>Publishes a new state of one instance; a state that says the same as the last one is dropped.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="resourceId">The instance id.</param>
    /// <param name="stateFactory">Makes the new state from the last one.</param>
    public Task PublishUpdateAsync(
        IResource resource,
        string resourceId,
        Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentException.ThrowIfNullOrEmpty(resourceId);
        ArgumentNullException.ThrowIfNull(stateFactory);
        Publish(resource, resourceId, stateFactory);
        return Task.CompletedTask;
    }

    /// <summary>Reads the last state of an instance.</summary>
    /// <param name="resourceId">The instance id, or the name of a resource that has one instance.</param>
    /// <param name="resourceEvent">The state.</param>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceId);
        resourceEvent = null;
        lock (_gate)
        {
            if (_instances.TryGetValue(resourceId, out var instance))
            {
                resourceEvent = instance.Last;
                return resourceEvent is not null;
            }

            var ofResource = _instances.Values
                .Where(i => i.Last is not null && SameName(i.Last.Resource.Name, resourceId))
                .Take(2)
                .ToArray();
            resourceEvent = ofResource.Length == 1 ? ofResource[0].Last : null;
            return resourceEvent is not null;
        }
    }

    /// <summary>Watches all resources: the last state of every instance first, then each change. Ends with an
    /// <see cref="OperationCanceledException"/> when cancelled or when the app host stops.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        var (now, changes, writer) = Subscribe();
        try
        {
            foreach (var resourceEvent in now)
            {
                yield return resourceEvent;
            }

            await foreach (var resourceEvent in changes.ReadAllAsync(linked.Token))
            {
                yield return resourceEvent;
            }
        }
        finally
        {
            Unsubscribe(writer);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        // Cancelled, not disposed: watches may still link to it.
        _stopping.Cancel();
        GC.SuppressFinalize(this);
    }

    /// <summary>The last state of every instance, and a reader of all changes after these, with nothing between.</summary>
    internal (IReadOnlyList<ResourceEvent> Now, ChannelReader<ResourceEvent> Changes, ChannelWriter<ResourceEvent> Writer) Subscribe()
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (_gate)
        {
            _watchers = _watchers.Add(channel.Writer);
            return (Now(), channel.Reader, channel.Writer);
        }
    }

    /// <summary>Ends what <see cref="Subscribe"/> began.</summary>
    internal void Unsubscribe(ChannelWriter<ResourceEvent> writer)
    {
        lock (_gate)
        {
            _watchers = _watchers.Remove(writer);
        }
    }

    private List<ResourceEvent> Now()
    {
        lock (_gate)
        {
            return [.. _instances.Values.Select(i => i.Last).OfType<ResourceEvent>()];
        }
    }

    private void Publish(IResource resource, string id, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        Instance instance;
        lock (_gate)
        {
            if (!_instances.TryGetValue(id, out instance!))
            {
                _instances[id] = instance = new Instance();
            }
        }

        // One update of an instance at a time, outside _gate: the factory is not our code.
        lock (instance.Updating)
        {
            var before = instance.Last?.Snapshot;
            var after = WithCommands(resource, stateFactory(before ?? InitialSnapshot(resource)));
            if (before is not null && SnapshotEquality.SameContent(before, after))
            {
                return;
            }

            var resourceEvent = new ResourceEvent(resource, id, after);
            lock (_gate)
            {
                instance.Last = resourceEvent;
                foreach (var watcher in _watchers)
                {
                    watcher.TryWrite(resourceEvent);
                }
            }

            if (before?.State?.Text != after.State?.Text)
            {
                LogState(_logger, id, before?.State?.Text, after.State?.Text);
            }
        }
    }

    private static CustomResourceSnapshot InitialSnapshot(IResource resource)
    {
        var snapshot = resource.Annotations.OfType<ResourceSnapshotAnnotation>().LastOrDefault()?.InitialSnapshot
            ?? new CustomResourceSnapshot { ResourceType = TypeName(resource), Properties = [] };
        var relationships = resource.Annotations.OfType<ResourceRelationshipAnnotation>()
            .Select(r => new RelationshipSnapshot(r.Resource.Name, r.Type))
            .Concat(snapshot.Relationships)
            .Distinct();
        var icon = resource.Annotations.OfType<ResourceIconAnnotation>().LastOrDefault();
        return snapshot with
        {
            CreationTimeStamp = snapshot.CreationTimeStamp ?? DateTime.UtcNow,
            Relationships = [.. relationships],
            IconName = snapshot.IconName ?? icon?.IconName,
            IconVariant = snapshot.IconVariant ?? icon?.IconVariant,
        };
    }

    private static string TypeName(IResource resource)
    {
        const string suffix = "Resource";
        var name = resource.GetType().Name;
        return name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : name;
    }

    private CustomResourceSnapshot WithCommands(IResource resource, CustomResourceSnapshot snapshot)
    {
        var commands = resource.Annotations.OfType<ResourceCommandAnnotation>().ToArray();
        if (commands.Length == 0)
        {
            return snapshot;
        }

        var context = new UpdateCommandStateContext { ResourceSnapshot = snapshot, ServiceProvider = _services };
        return snapshot with
        {
            Commands =
            [
                .. commands.Select(c => new ResourceCommandSnapshot(
                    c.Name,
                    c.UpdateState(context),
                    c.DisplayName,
                    c.DisplayDescription,
                    c.Parameter,
                    c.ConfirmationMessage,
                    c.IconName,
                    c.IconVariant,
                    c.IsHighlighted)),
            ],
        };
    }

    private static bool SameName(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Resource}: {Before} -> {After}")]
    private static partial void LogState(ILogger logger, string resource, string? before, string? after);

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for the resource '{Resource}' to {Goal}.")]
    private static partial void LogWaiting(ILogger logger, string resource, string goal);

    [LoggerMessage(Level = LogLevel.Information, Message = "Done waiting for the resource '{Resource}' to {Goal}.")]
    private static partial void LogWaited(ILogger logger, string resource, string goal);

    private sealed class Instance
    {
        public Lock Updating { get; } = new();

        public ResourceEvent? Last { get; set; }
    }
}
