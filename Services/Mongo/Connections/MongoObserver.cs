using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Configuration;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Events;
using MongoDB.Driver.Core.Servers;
using Attributes = Platform.Mongo.Connections.MongoMetrics.Attributes;

namespace Platform.Mongo.Connections;

/// <summary>
/// Turns the driver's events into measurements and log lines; one for all clients of a process. Handlers run on the
/// caller's thread inside the driver, so they do little, and nothing that can fail.
/// </summary>
/// <remarks>
/// The events: https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling/connection-monitoring-and-pooling.md#events
/// </remarks>
internal sealed class MongoObserver(MongoMetrics metrics, IOptions<MongoTelemetryOptions> options, ILogger<MongoObserver> logger)
{
    private readonly TimeSpan _slow = options.Value.SlowCommandThreshold;
    private readonly bool _commands = options.Value.Commands;

    private readonly ConcurrentDictionary<ClusterId, string> _topologies = new();
    private readonly CommandNames _names = new();

    private bool LogsSlowCommands => _slow > TimeSpan.Zero && logger.IsEnabled(LogLevel.Warning);

    /// <summary>Hears the events of a client.</summary>
    public void Subscribe(ClusterBuilder builder)
    {
        builder
            .Subscribe<ConnectionPoolOpenedEvent>(Handle)
            .Subscribe<ConnectionPoolClosedEvent>(Handle)
            .Subscribe<ConnectionPoolClearedEvent>(Handle)
            .Subscribe<ConnectionPoolAddedConnectionEvent>(Handle)
            .Subscribe<ConnectionPoolRemovedConnectionEvent>(Handle)
            .Subscribe<ConnectionPoolCheckingOutConnectionEvent>(Handle)
            .Subscribe<ConnectionPoolCheckedOutConnectionEvent>(Handle)
            .Subscribe<ConnectionPoolCheckingOutConnectionFailedEvent>(Handle)
            .Subscribe<ConnectionPoolCheckedInConnectionEvent>(Handle)
            .Subscribe<ClusterDescriptionChangedEvent>(Handle)
            .Subscribe<ClusterClosedEvent>(Handle)
            .Subscribe<ClusterSelectingServerFailedEvent>(Handle)
            .Subscribe<ServerHeartbeatFailedEvent>(Handle)
            .Subscribe<ServerHeartbeatSucceededEvent>(Handle);
        if (_commands)
        {
            builder
                .Subscribe<CommandStartedEvent>(Handle)
                .Subscribe<CommandSucceededEvent>(Handle)
                .Subscribe<CommandFailedEvent>(Handle);
        }
    }

    internal void Handle(ConnectionPoolOpenedEvent opened) =>
        metrics.Open(opened.ServerId, opened.ConnectionPoolSettings.MinConnections, opened.ConnectionPoolSettings.MaxConnections);

    internal void Handle(ConnectionPoolClosedEvent closed) => metrics.Close(closed.ServerId);

    internal void Handle(ConnectionPoolClearedEvent cleared)
    {
        if (metrics.PoolOf(cleared.ServerId) is { } pool)
        {
            metrics.PoolClears.Add(1, in pool.Tags);
            MongoTelemetryLog.PoolCleared(logger, pool.Name, cleared.CloseInUseConnections);
        }
    }

    internal void Handle(ConnectionPoolAddedConnectionEvent added)
    {
        if (metrics.PoolOf(added.ServerId) is { } pool)
        {
            pool.Add(added.ConnectionId.LongLocalValue);
            metrics.CreateTime.Record(added.Duration.TotalSeconds, in pool.Tags);
        }
    }

    internal void Handle(ConnectionPoolRemovedConnectionEvent removed)
    {
        if (metrics.PoolOf(removed.ServerId)?.Remove(removed.ConnectionId.LongLocalValue) is { IsUsed: true } connection)
        {
            metrics.WaitTime.Record(connection.Waited.TotalSeconds, in connection.Pool.Tags);
        }
    }

    internal void Handle(ConnectionPoolCheckingOutConnectionEvent asked) => metrics.PoolOf(asked.ServerId)?.Wait(1);

    internal void Handle(ConnectionPoolCheckedOutConnectionEvent taken)
    {
        if (metrics.PoolOf(taken.ServerId) is { } pool)
        {
            pool.Wait(-1);
            pool.Find(taken.ConnectionId.LongLocalValue)?.Take(taken.Duration);
        }
    }

    internal void Handle(ConnectionPoolCheckingOutConnectionFailedEvent failed)
    {
        if (metrics.PoolOf(failed.ServerId) is { } pool)
        {
            pool.Wait(-1);
            if (failed.Reason == ConnectionCheckOutFailedReason.Timeout)
            {
                metrics.Timeouts.Add(1, in pool.Tags);
            }
        }
    }

    internal void Handle(ConnectionPoolCheckedInConnectionEvent returned)
    {
        if (ConnectionOf(returned.ConnectionId) is not { } connection)
        {
            return;
        }

        // The wait as well: by the time that the connection comes back the processor has forgotten how to record, and twice
        // in one go costs little more than once.
        if (metrics.UseTime.Enabled)
        {
            metrics.UseTime.Record(connection.InUse.TotalSeconds, in connection.Pool.Tags);
        }

        metrics.WaitTime.Record(connection.Waited.TotalSeconds, in connection.Pool.Tags);
        connection.Rest();
    }

    internal void Handle(ClusterDescriptionChangedEvent changed)
    {
        var topology = Describe(changed.NewDescription);
        var before = _topologies.TryGetValue(changed.ClusterId, out var known) ? known : null;
        if (topology == before)
        {
            return;
        }

        _topologies[changed.ClusterId] = topology;
        if (changed.NewDescription.Servers.Any(TakesWrites) || !changed.OldDescription.Servers.Any(TakesWrites))
        {
            MongoTelemetryLog.TopologyChanged(logger, topology);
        }
        else
        {
            MongoTelemetryLog.TopologyWithoutPrimary(logger, topology);
        }
    }

    internal void Handle(ClusterClosedEvent closed) => _topologies.TryRemove(closed.ClusterId, out _);

    internal void Handle(ClusterSelectingServerFailedEvent failed) =>
        metrics.SelectionFailures.Add(1, new KeyValuePair<string, object?>(Attributes.ErrorType, failed.Exception.GetType().FullName));

    internal void Handle(ServerHeartbeatFailedEvent failed)
    {
        if (metrics.PoolOf(failed.ServerId) is { } pool)
        {
            metrics.HeartbeatFailures.Add(1, in pool.Tags);
            if (pool.NoteHeartbeat(failed: true))
            {
                MongoTelemetryLog.HeartbeatFailed(logger, pool.Name, failed.Exception.GetBaseException().Message);
            }
        }
    }

    internal void Handle(ServerHeartbeatSucceededEvent succeeded)
    {
        if (metrics.PoolOf(succeeded.ServerId) is { } pool && pool.NoteHeartbeat(failed: false))
        {
            MongoTelemetryLog.HeartbeatRecovered(logger, pool.Name);
        }
    }

    // Commands on connections that the pool does not have yet are handshakes: they are part of the time to create one.
    internal void Handle(CommandStartedEvent started)
    {
        // What waits for the next change is not slow; only such a getMore says how long it may take.
        if (started.CommandName == "getMore" && started.Command.Contains("maxTimeMS"))
        {
            return;
        }

        var logsSlow = LogsSlowCommands;
        // The span of the operation. That of the command begins only after this event and ends before the next.
        var span = Activity.Current is { IsAllDataRequested: true } current && current.Source.Name == MongoDB.Driver.MongoTelemetry.ActivitySourceName
            ? current
            : null;
        if ((!logsSlow && span is null && !metrics.OperationDuration.Enabled) || ConnectionOf(started.ConnectionId) is not { } connection)
        {
            return;
        }

        var collection = _names.CollectionOf(started.CommandName, started.Command);
        var database = started.DatabaseNamespace.DatabaseName;
        connection.Latest = connection.Operation = connection.Latest is { } latest && latest.IsSurely(database, collection, started.CommandName)
            ? latest
            : connection.Pool.Operation(database, collection, started.CommandName);
        if (logsSlow || span is not null)
        {
            connection.Statement.Keep(started.Command);
            span?.SetTag(Attributes.QueryText, connection.Statement.Describe(started.CommandName, collection));
        }
    }

    internal void Handle(CommandSucceededEvent succeeded)
    {
        if (ConnectionOf(succeeded.ConnectionId) is { Operation: { } operation } connection)
        {
            connection.Operation = null;
            metrics.OperationDuration.Record(succeeded.Duration.TotalSeconds, in operation.Tags);
            LogWhenSlow(connection, operation, succeeded.CommandName, succeeded.Duration, failure: null);
        }
    }

    internal void Handle(CommandFailedEvent failed)
    {
        if (ConnectionOf(failed.ConnectionId) is { Operation: { } operation } connection)
        {
            connection.Operation = null;
            if (metrics.OperationDuration.Enabled)
            {
                var tags = operation.FailedTags(failed.Failure);
                metrics.OperationDuration.Record(failed.Duration.TotalSeconds, in tags);
            }

            LogWhenSlow(connection, operation, failed.CommandName, failed.Duration, failed.Failure);
        }
    }

    private static bool TakesWrites(ServerDescription server) =>
        server.Type is ServerType.ReplicaSetPrimary or ServerType.Standalone or ServerType.ShardRouter or ServerType.LoadBalanced;

    private static string Describe(ClusterDescription cluster) =>
        $"{cluster.Type}: {string.Join(", ", cluster.Servers.Select(Describe).Order(StringComparer.Ordinal))}";

    private static string Describe(ServerDescription server) => $"{ObservedPool.AddressOf(server.EndPoint)} {server.Type}";

    private void LogWhenSlow(ObservedConnection connection, ObservedOperation operation, string command, TimeSpan duration, Exception? failure)
    {
        if (duration >= _slow && LogsSlowCommands)
        {
            MongoTelemetryLog.SlowCommand(
                logger,
                command,
                operation.Collection is null ? operation.Database : $"{operation.Database}.{operation.Collection}",
                Math.Round(duration.TotalMilliseconds, 1),
                failure?.GetType().Name ?? "succeeded",
                connection.Statement.Describe(command, operation.Collection));
        }
    }

    private ObservedConnection? ConnectionOf(ConnectionId connection) =>
        metrics.PoolOf(connection.ServerId)?.Find(connection.LongLocalValue);
}
