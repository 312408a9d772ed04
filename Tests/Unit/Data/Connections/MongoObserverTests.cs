using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Configuration;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Events;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class MongoObserverTests : IDisposable
{
    private const string Pool = "db.client.connection.pool.name=db1:27017";
    private static readonly DatabaseNamespace Shop = new("shop");

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly RecordingLogger<MongoObserver> _log = new();
    private readonly MongoMetrics _metrics;
    private readonly MongoObserver _observer;
    private readonly Measurements _measurements;
    private readonly ServerId _server = new(new ClusterId(), new DnsEndPoint("db1", 27017));
    private int _request;

    public MongoObserverTests()
    {
        _metrics = new MongoMetrics(_services.GetRequiredService<IMeterFactory>());
        _observer = new MongoObserver(_metrics, Options.Create(new MongoTelemetryOptions()), _log);
        _measurements = new Measurements(_metrics.Meter);
    }

    public void Dispose()
    {
        _measurements.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void All_nine_connection_metrics_have_the_names_kinds_and_units_of_the_conventions()
    {
        // https://opentelemetry.io/docs/specs/semconv/database/database-metrics/#connection-pools
        var wanted = new Dictionary<string, (string Unit, Type Kind)>
        {
            ["db.client.connection.count"] = ("{connection}", typeof(ObservableUpDownCounter<long>)),
            ["db.client.connection.idle.max"] = ("{connection}", typeof(ObservableUpDownCounter<long>)),
            ["db.client.connection.idle.min"] = ("{connection}", typeof(ObservableUpDownCounter<long>)),
            ["db.client.connection.max"] = ("{connection}", typeof(ObservableUpDownCounter<long>)),
            ["db.client.connection.pending_requests"] = ("{request}", typeof(ObservableUpDownCounter<long>)),
            ["db.client.connection.timeouts"] = ("{timeout}", typeof(Counter<long>)),
            ["db.client.connection.create_time"] = ("s", typeof(Histogram<double>)),
            ["db.client.connection.wait_time"] = ("s", typeof(Histogram<double>)),
            ["db.client.connection.use_time"] = ("s", typeof(Histogram<double>)),
        };

        var found = _measurements.Instruments.Values
            .Where(instrument => instrument.Name.StartsWith("db.client.connection.", StringComparison.Ordinal))
            .ToDictionary(instrument => instrument.Name, instrument => (instrument.Unit!, instrument.GetType()));

        Assert.Equal(wanted.OrderBy(pair => pair.Key, StringComparer.Ordinal), found.OrderBy(pair => pair.Key, StringComparer.Ordinal)!);
    }

    [Fact]
    public void The_page_lists_exactly_the_instruments_there_are() =>
        Assert.Equal(
            MongoMetrics.Definitions.Select(metric => $"{metric.Name} {metric.Unit}").Order(StringComparer.Ordinal),
            _measurements.Instruments.Values.Select(instrument => $"{instrument.Name} {instrument.Unit}").Order(StringComparer.Ordinal));

    [Fact]
    public void A_pool_reports_its_limits()
    {
        Open(min: 3, max: 20);

        Assert.Equal(3, _measurements.Read("db.client.connection.idle.min", Pool));
        Assert.Equal(20, _measurements.Read("db.client.connection.idle.max", Pool));
        Assert.Equal(20, _measurements.Read("db.client.connection.max", Pool));
    }

    [Fact]
    public void A_closed_pool_reports_nothing_more()
    {
        Open();
        _observer.Handle(new ConnectionPoolClosedEvent(_server));

        Assert.Throws<InvalidOperationException>(() => _measurements.Read("db.client.connection.max", Pool));
    }

    [Fact]
    public void A_second_pool_to_the_same_server_has_a_name_of_its_own()
    {
        Open(max: 20);
        var second = new ServerId(new ClusterId(), _server.EndPoint);
        _observer.Handle(new ConnectionPoolOpenedEvent(second, new ConnectionPoolSettings(maxConnections: 30)));

        Assert.Equal(30, _measurements.Read("db.client.connection.max", Pool + "#2"));
    }

    [Fact]
    public void Connections_are_idle_then_used_then_idle_then_gone()
    {
        Open();
        var connection = Add(1);
        AssertConnections(idle: 1, used: 0);

        _observer.Handle(new ConnectionPoolCheckingOutConnectionEvent(_server, null));
        Assert.Equal(1, _measurements.Read("db.client.connection.pending_requests"));
        _observer.Handle(new ConnectionPoolCheckedOutConnectionEvent(connection, TimeSpan.FromMilliseconds(5), null));
        Assert.Equal(0, _measurements.Read("db.client.connection.pending_requests"));
        AssertConnections(idle: 0, used: 1);

        _observer.Handle(new ConnectionPoolCheckedInConnectionEvent(connection, TimeSpan.Zero, null));
        Assert.Equal(Pool, Assert.Single(_measurements.Of("db.client.connection.use_time")).Attributes);
        Assert.Equal([new("db.client.connection.wait_time", 0.005, Pool)], _measurements.Of("db.client.connection.wait_time"));
        AssertConnections(idle: 1, used: 0);

        _observer.Handle(new ConnectionPoolRemovedConnectionEvent(connection, TimeSpan.Zero, null));
        AssertConnections(idle: 0, used: 0);
    }

    [Fact]
    public void A_connection_that_is_closed_in_use_and_given_back_afterwards_is_counted_once()
    {
        Open();
        var connection = Add(1);
        _observer.Handle(new ConnectionPoolCheckingOutConnectionEvent(_server, null));
        _observer.Handle(new ConnectionPoolCheckedOutConnectionEvent(connection, TimeSpan.Zero, null));

        _observer.Handle(new ConnectionPoolRemovedConnectionEvent(connection, TimeSpan.Zero, null));
        _observer.Handle(new ConnectionPoolCheckedInConnectionEvent(connection, TimeSpan.Zero, null));

        Assert.Single(_measurements.Of("db.client.connection.wait_time"));
        AssertConnections(idle: 0, used: 0);
    }

    [Fact]
    public void The_use_of_a_clients_pools_leaves_out_other_clients()
    {
        Open();
        _observer.Handle(new ConnectionPoolCheckedOutConnectionEvent(Add(1), TimeSpan.Zero, null));
        Add(2);
        var other = new ServerId(new ClusterId(), _server.EndPoint);
        _observer.Handle(new ConnectionPoolOpenedEvent(other, new ConnectionPoolSettings()));
        _observer.Handle(new ConnectionPoolAddedConnectionEvent(new ConnectionId(other, 3), TimeSpan.Zero, null));

        Assert.Equal(new PoolUse(Open: 2, InUse: 1, MaxPerServer: 50), _metrics.UseOf(_server.ClusterId, maxPerServer: 50));
        Assert.Equal(2, _metrics.LargestPool);
    }

    [Fact]
    public async Task Counts_are_right_when_many_threads_use_the_pool()
    {
        Open();
        var connections = Enumerable.Range(1, 16).Select(number => Add(number)).ToList();

        await Task.WhenAll(connections.Select(connection => Task.Run(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                _observer.Handle(new ConnectionPoolCheckingOutConnectionEvent(_server, null));
                _observer.Handle(new ConnectionPoolCheckedOutConnectionEvent(connection, TimeSpan.Zero, null));
                _observer.Handle(new ConnectionPoolCheckedInConnectionEvent(connection, TimeSpan.Zero, null));
            }
        })));

        AssertConnections(idle: 16, used: 0);
        Assert.Equal(0, _measurements.Read("db.client.connection.pending_requests"));
    }

    [Theory]
    [InlineData(ConnectionCheckOutFailedReason.Timeout, 1)]
    [InlineData(ConnectionCheckOutFailedReason.ConnectionError, 0)]
    [InlineData(ConnectionCheckOutFailedReason.PoolClosed, 0)]
    public void A_caller_that_got_no_connection_waits_no_more_and_counts_as_timeout_only_if_it_was_one(
        ConnectionCheckOutFailedReason reason, int timeouts)
    {
        Open();
        _observer.Handle(new ConnectionPoolCheckingOutConnectionEvent(_server, null));
        _observer.Handle(new ConnectionPoolCheckingOutConnectionFailedEvent(_server, new TimeoutException(), null, TimeSpan.FromSeconds(1), reason));

        Assert.Equal(timeouts, _measurements.Of("db.client.connection.timeouts").Count);
        Assert.Equal(0, _measurements.Read("db.client.connection.pending_requests"));
    }

    [Fact]
    public void Opening_a_connection_is_timed()
    {
        Open();
        Add(1, TimeSpan.FromMilliseconds(150));

        Assert.Equal([new("db.client.connection.create_time", 0.15, Pool)], _measurements.Of("db.client.connection.create_time"));
    }

    [Theory]
    [InlineData("find", true)]
    [InlineData("find", false)]
    [InlineData("insert", true)]
    [InlineData("aggregate", false)]
    public void A_command_is_timed_with_its_database_collection_and_server(string command, bool raw)
    {
        Open();
        var connection = Add(1);
        Run(connection, command, new BsonDocument { { command, "products" }, { "filter", new BsonDocument("price", 5) } }, TimeSpan.FromMilliseconds(7), raw);

        Assert.Equal(
            [new(
                "db.client.operation.duration", 0.007,
                $"db.collection.name=products,db.namespace=shop,db.operation.name={command},db.system.name=mongodb,server.address=db1,server.port=27017")],
            _measurements.Of("db.client.operation.duration"));
    }

    [Fact]
    public void The_next_batch_of_a_cursor_belongs_to_its_collection()
    {
        Open();
        Run(Add(1), "getMore", new BsonDocument { { "getMore", 5L }, { "collection", "orders" } });

        Assert.Contains("db.collection.name=orders", Assert.Single(_measurements.Of("db.client.operation.duration")).Attributes, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_no_collection_is_not_reported_as_one()
    {
        Open();
        Run(Add(1), "dropUser", new BsonDocument("dropUser", "alice"), TimeSpan.FromSeconds(1));

        Assert.DoesNotContain("alice", Assert.Single(_measurements.Of("db.client.operation.duration")).Attributes, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_command_has_the_servers_code_as_its_error()
    {
        Open();
        var connection = Add(1);
        Start(connection, "insert", new BsonDocument("insert", "products"), raw: true);
        var refused =
            new MongoCommandException(connection, "E11000", new BsonDocument("insert", "products"), new BsonDocument { { "ok", 0 }, { "code", 11000 } });
        _observer.Handle(new CommandFailedEvent("insert", Shop, refused, null, _request, connection, TimeSpan.FromMilliseconds(1)));

        var attributes = Assert.Single(_measurements.Of("db.client.operation.duration")).Attributes;
        Assert.Contains("db.response.status_code=11000", attributes, StringComparison.Ordinal);
        Assert.Contains("error.type=11000", attributes, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_lost_its_connection_has_the_exception_as_its_error()
    {
        Open();
        var connection = Add(1);
        Start(connection, "find", new BsonDocument("find", "products"), raw: true);
        _observer.Handle(new CommandFailedEvent("find", Shop, new IOException("gone"), null, _request, connection, TimeSpan.FromMilliseconds(1)));

        Assert.Contains(
            "error.type=System.IO.IOException", Assert.Single(_measurements.Of("db.client.operation.duration")).Attributes, StringComparison.Ordinal);
    }

    [Fact]
    public void A_handshake_is_no_operation()
    {
        Open();
        var unknown = new ConnectionId(_server, 77);
        Run(unknown, "hello", new BsonDocument("hello", 1), TimeSpan.FromSeconds(1));

        Assert.Empty(_measurements.Of("db.client.operation.duration"));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void However_many_collections_there_are_the_attributes_stay_bounded()
    {
        Open();
        var connection = Add(1);
        for (var i = 0; i < ObservedPool.MaxOperations + 200; i++)
        {
            Run(connection, "find", new BsonDocument("find", $"c{i}"));
        }

        Assert.Equal(
            ObservedPool.MaxOperations + 1, // and the one for all others
            _measurements.Of("db.client.operation.duration").Select(measured => measured.Attributes).Distinct().Count());
    }

    [Fact]
    public void A_slow_command_is_logged_with_the_names_of_its_fields_and_without_their_values()
    {
        Open();
        Run(
            Add(1), "find",
            new BsonDocument
            {
                { "find", "customers" },
                { "filter", new BsonDocument("email", "eve@example.org") },
                { "limit", 1 },
                { "$db", "shop" },
                { "lsid", new BsonDocument("id", 1) },
            },
            TimeSpan.FromMilliseconds(120));

        Assert.Equal(
            ["Warning: Slow command: find on shop.customers took 120 ms (succeeded): { find: customers, filter: { email: ? }, limit: ? }"], _log.Lines);
    }

    [Fact]
    public void A_slow_write_is_logged_with_the_shape_of_its_first_document_and_their_number()
    {
        Open();
        var item = new RawBsonDocument(new BsonDocument { { "_id", 1 }, { "name", "secret" } }.ToBson());
        var command = new BsonDocument { { "insert", "customers" }, { "ordered", true }, { "documents", new BsonArray { item, item, item } } };
        Run(Add(1), "insert", command, TimeSpan.FromMilliseconds(100), raw: false);

        Assert.Equal(
            ["Warning: Slow command: insert on shop.customers took 100 ms (succeeded): { insert: customers, documents: [{ _id: ?, name: ? } × 3] }"],
            _log.Lines);
    }

    [Fact]
    public void A_command_below_the_threshold_is_not_logged()
    {
        Open();
        Run(Add(1), "find", new BsonDocument("find", "customers"), TimeSpan.FromMilliseconds(99));

        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void Pool_clears_and_selection_failures_are_counted()
    {
        Open();
        _observer.Handle(new ConnectionPoolClearedEvent(_server, new ConnectionPoolSettings(), closeInUseConnections: true));
        _observer.Handle(new ClusterSelectingServerFailedEvent(Cluster(ServerType.Unknown), null!, new TimeoutException(), null, "find"));

        Assert.Equal([new("mongodb.client.connection.pool.clears", 1, Pool)], _measurements.Of("mongodb.client.connection.pool.clears"));
        Assert.Equal(
            [new("mongodb.client.server_selection.failures", 1, "error.type=System.TimeoutException")],
            _measurements.Of("mongodb.client.server_selection.failures"));
        Assert.Equal(["Warning: The connections to db1:27017 are given up after an error (those in use as well: True)"], _log.Lines);
    }

    [Fact]
    public void Heartbeats_are_logged_when_they_begin_to_fail_and_when_they_succeed_again_only()
    {
        Open();
        var monitor = new ConnectionId(_server, 99);
        _observer.Handle(new ServerHeartbeatSucceededEvent(monitor, TimeSpan.Zero, awaited: true));
        for (var i = 0; i < 3; i++)
        {
            _observer.Handle(new ServerHeartbeatFailedEvent(monitor, TimeSpan.Zero, new IOException("refused"), awaited: true));
        }

        _observer.Handle(new ServerHeartbeatSucceededEvent(monitor, TimeSpan.Zero, awaited: true));

        Assert.Equal(
            ["Warning: MongoDB at db1:27017 does not answer heartbeats: refused", "Information: MongoDB at db1:27017 answers heartbeats again"], _log.Lines);
        Assert.Equal(3, _measurements.Of("mongodb.client.heartbeat.failures").Count);
    }

    [Fact]
    public void A_topology_is_logged_when_it_changes_and_as_a_warning_when_the_primary_is_gone()
    {
        var starting = Cluster(ServerType.Unknown);
        var ready = Cluster(ServerType.ReplicaSetPrimary);
        _observer.Handle(new ClusterDescriptionChangedEvent(starting, ready));
        _observer.Handle(new ClusterDescriptionChangedEvent(ready, ready));
        _observer.Handle(new ClusterDescriptionChangedEvent(ready, starting));

        Assert.Equal(
            [
                "Information: MongoDB topology: ReplicaSet: db1:27017 ReplicaSetPrimary",
                "Warning: MongoDB topology: ReplicaSet: db1:27017 Unknown; no server takes writes",
            ],
            _log.Lines);
    }

    [Fact]
    public void Events_allocate_nothing_when_nobody_measures()
    {
        _measurements.Dispose();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var observer = new MongoObserver(
            new MongoMetrics(services.GetRequiredService<IMeterFactory>()), Options.Create(new MongoTelemetryOptions { SlowCommandThreshold = TimeSpan.Zero }),
            _log);
        observer.Handle(new ConnectionPoolOpenedEvent(_server, new ConnectionPoolSettings()));
        Assert.Equal(0, AllocatedBy(observer));
    }

    [Fact]
    public void Events_allocate_nothing_when_somebody_measures()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Meter == _metrics.Meter)
                {
                    own.EnableMeasurementEvents(instrument);
                }
            },
        };
        _measurements.Dispose();
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        listener.Start();
        Open();

        Assert.Equal(0, AllocatedBy(_observer));
    }

    // One round of a caller's work, after the first has made what is kept.
    private long AllocatedBy(MongoObserver observer)
    {
        var connection = new ConnectionId(_server, 1);
        observer.Handle(new ConnectionPoolAddedConnectionEvent(connection, TimeSpan.Zero, null));
        using var command = new RawBsonDocument(new BsonDocument { { "find", "products" }, { "filter", new BsonDocument("a", 1) } }.ToBson());
        var empty = new BsonDocument();
        long allocated = 0;
        for (var round = 0; round < 3; round++)
        {
            var asked = new ConnectionPoolCheckingOutConnectionEvent(_server, null);
            var taken = new ConnectionPoolCheckedOutConnectionEvent(connection, TimeSpan.Zero, null);
            var started = new CommandStartedEvent("find", command, Shop, null, 1, connection);
            var succeeded = new CommandSucceededEvent("find", empty, Shop, null, 1, connection, TimeSpan.Zero);
            var returned = new ConnectionPoolCheckedInConnectionEvent(connection, TimeSpan.Zero, null);

            var before = GC.GetAllocatedBytesForCurrentThread();
            observer.Handle(asked);
            observer.Handle(taken);
            observer.Handle(started);
            observer.Handle(succeeded);
            observer.Handle(returned);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return allocated;
    }

    private void Open(int min = 0, int max = 100) =>
        _observer.Handle(new ConnectionPoolOpenedEvent(_server, new ConnectionPoolSettings(minConnections: min, maxConnections: max)));

    private ConnectionId Add(long number, TimeSpan took = default)
    {
        var connection = new ConnectionId(_server, number);
        _observer.Handle(new ConnectionPoolAddedConnectionEvent(connection, took, null));
        return connection;
    }

    private void Start(ConnectionId connection, string name, BsonDocument command, bool raw)
    {
        using var bytes = new RawBsonDocument(command.ToBson());
        _observer.Handle(new CommandStartedEvent(name, raw ? bytes : command, Shop, null, ++_request, connection));
    }

    private void Run(ConnectionId connection, string name, BsonDocument command, TimeSpan took = default, bool raw = true)
    {
        Start(connection, name, command, raw);
        _observer.Handle(new CommandSucceededEvent(name, new BsonDocument("ok", 1), Shop, null, _request, connection, took));
    }

    private void AssertConnections(int idle, int used)
    {
        Assert.Equal(idle, _measurements.Read("db.client.connection.count", "state=idle"));
        Assert.Equal(used, _measurements.Read("db.client.connection.count", "state=used"));
    }

    private ClusterDescription Cluster(ServerType type) => new(
        _server.ClusterId, directConnection: false, dnsMonitorException: null, ClusterType.ReplicaSet,
        [new ServerDescription(_server, _server.EndPoint, type: type)]);
}
