using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Platform.Mongo.Connections;
using Xunit;
using MongoTelemetry = Platform.Mongo.Connections.MongoTelemetry;

namespace Platform.Tests.Server.Data;

/// <summary>What the driver's events become, with a real driver on a real server.</summary>
[Collection(AloneCollection.Name)]
public sealed class MongoTelemetryTests(MongoServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pool_never_exceeds_its_maximum_and_returns_to_its_minimum()
    {
        const int Min = 3;
        const int Max = 8;
        var database = server.NewDatabase();
        using var observed = new Observed();
        // What reaches the server of this client alone.
        await using var proxy = server.Proxy();
        var settings = MongoClientSettings.FromConnectionString(
            server.Through(proxy.Port, database, url => (url.DirectConnection, url.ReplicaSetName) = (true, null)));
        new MongoOptions { MinPoolSize = Min, MaxPoolSize = Max, MaxIdleTime = TimeSpan.FromSeconds(1) }.ApplyTo(settings);
        MongoTelemetry.Observe(settings, observed.Services);
        settings.ClusterConfigurator += builder => builder.ConfigureConnectionPool(pool => pool.With(maintenanceInterval: TimeSpan.FromMilliseconds(100)));
        using var client = new MongoClient(settings);
        var collection = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("load");
        await collection.InsertOneAsync(new BsonDocument("_id", 1), cancellationToken: Cancel);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        long most = 0;
        var mostOnServer = 0;
        long mostPending = 0;
        var watch = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var read = observed.Read();
                    most = Math.Max(most, read["db.client.connection.count state=idle"] + read["db.client.connection.count state=used"]);
                    mostPending = Math.Max(mostPending, read["db.client.connection.pending_requests"]);
                    mostOnServer = Math.Max(mostOnServer, proxy.Open);
                    await Task.Delay(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                }
            },
            Cancel);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            for (var i = 0; i < 25; i++)
            {
                await collection.Find(new BsonDocument("_id", 1)).FirstAsync(Cancel);
            }
        }));
        await stop.CancelAsync();
        await watch;

        Assert.InRange(most, 2, Max);
        Assert.True(mostPending > 0, "Forty callers on eight connections have to wait.");
        // The driver watches each server on two connections beside its pool.
        Assert.InRange(mostOnServer, 2, Max + 2);

        var used = observed.Read();
        Assert.Equal(Max, used["db.client.connection.max"]);
        Assert.Equal(Max, used["db.client.connection.idle.max"]);
        Assert.Equal(Min, used["db.client.connection.idle.min"]);
        await Wait.UntilAsync(
            () =>
            {
                var read = observed.Read();
                return (
                    read["db.client.connection.count state=idle"],
                    read["db.client.connection.count state=used"],
                    read["db.client.connection.pending_requests"])
                    == (Min, 0, 0);
            },
            "the pool has its minimum, all idle",
            Cancel);
        await Wait.UntilAsync(() => proxy.Open is >= Min and <= Min + 2, "the server has as many", Cancel);
    }

    [Fact]
    public async Task All_nine_connection_metrics_and_the_duration_of_operations_are_measured()
    {
        server.Require();
        using var observed = new Observed();
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionString);
        settings.MaxConnectionPoolSize = 1;
        settings.WaitQueueTimeout = TimeSpan.FromMilliseconds(100);
        MongoTelemetry.Observe(settings, observed.Services);
        using var client = new MongoClient(settings);
        var database = client.GetDatabase(NewName());
        var collection = database.GetCollection<BsonDocument>("things");
        await collection.InsertManyAsync(Enumerable.Range(0, 1000).Select(i => new BsonDocument("_id", i)), cancellationToken: Cancel);

        // One caller has the only connection for as long as its command takes, and another gives up waiting for it.
        var held = database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "aggregate", "things" }, { "pipeline", new BsonArray { Slow() } }, { "cursor", new BsonDocument() } },
            cancellationToken: Cancel);
        await Wait.UntilAsync(() => observed.Read()["db.client.connection.count state=used"] == 1, "the connection is in use", Cancel);
        await Assert.ThrowsAsync<TimeoutException>(() => collection.Find(new BsonDocument("_id", 1)).FirstAsync(Cancel));
        await held;
        await Assert.ThrowsAsync<MongoCommandException>(
            () => database.RunCommandAsync<BsonDocument>(new BsonDocument("nonsense", 1), cancellationToken: Cancel));
        observed.Read();

        Assert.Superset(
            new HashSet<string>
            {
                "db.client.connection.count {connection}", "db.client.connection.idle.max {connection}", "db.client.connection.idle.min {connection}",
                "db.client.connection.max {connection}", "db.client.connection.pending_requests {request}", "db.client.connection.timeouts {timeout}",
                "db.client.connection.create_time s", "db.client.connection.wait_time s", "db.client.connection.use_time s", "db.client.operation.duration s",
            },
            observed.Measured);
        var name = database.DatabaseNamespace.DatabaseName;
        Assert.Contains(observed.Durations, tags => Is(tags, name, "insert", "things", null));
        Assert.Contains(observed.Durations, tags => Is(tags, name, "aggregate", "things", null));
        Assert.Contains(observed.Durations, tags => Is(tags, name, "nonsense", null, "59")); // CommandNotFound
        Assert.All(observed.Durations, tags => Assert.Equal("mongodb", tags["db.system.name"]));
    }

    [Fact]
    public async Task A_slow_command_is_logged_by_its_shape_and_no_value_of_it_reaches_the_log_or_a_span()
    {
        const string Secret = "eve.secret@example.org";
        server.Require();
        using var observed = new Observed(slow: TimeSpan.FromTicks(1));
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "MongoDB.Driver",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionString);
        // What the driver would do when it is asked to: the whole text, values and all.
        settings.TracingOptions = new TracingOptions { QueryTextMaxLength = 1000 };
        MongoTelemetry.Observe(settings, observed.Services);
        using var client = new MongoClient(settings);
        var database = client.GetDatabase(NewName());
        var collection = database.GetCollection<BsonDocument>("people");
        await collection.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "email", Secret } }, cancellationToken: Cancel);
        await collection.Find(new BsonDocument("email", Secret)).FirstAsync(Cancel);

        var name = database.DatabaseNamespace.DatabaseName;
        Assert.Contains(observed.Lines, line => line.Contains($"find on {name}.people", StringComparison.Ordinal)
            && line.Contains("{ find: people, filter: { email: ? }, limit: ? }", StringComparison.Ordinal));
        Assert.Contains(observed.Lines, line => line.Contains("{ insert: people, documents: [{ _id: ?, email: ? }] }", StringComparison.Ordinal));
        Assert.DoesNotContain(observed.Lines, line => line.Contains(Secret, StringComparison.Ordinal));
        // The listener hears the whole process: this test's own spans are those of its database.
        var own = spans.Where(span => Equals(span.GetTagItem("db.namespace"), name)).ToList();
        Assert.Contains("{ find: people, filter: { email: ? }, limit: ? }", own.Select(span => span.GetTagItem("db.query.text")));
        Assert.DoesNotContain(own, span => span.TagObjects.Any(tag => $"{tag.Value}".Contains(Secret, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Metrics_and_spans_of_a_service_are_read_back_from_an_in_memory_exporter()
    {
        server.Require();
        List<Metric> metrics = [];
        List<Activity> spans = [];
        var named = server.NewDatabase();
        var name = named.DatabaseNamespace.DatabaseName;
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "shop" });
        builder.Configuration.AddInMemoryCollection(
        [
            new("ConnectionStrings:platform", server.ConnectionStringOf(named)),
            new("Mongo:MinPoolSize", "0"),
            new("Mongo:MaxPoolSize", "1"),
            new("Mongo:WaitQueueTimeout", "00:00:00.100"),
            // Nobody listens there; what is not measured for anybody could not be read back either.
            new(ServiceDefaultsExtensions.OtlpEndpointKey, "http://127.0.0.1:9"),
        ]);
        builder.AddServiceDefaults();
        builder.AddPlatformData();
        builder.Services.ConfigureOpenTelemetryMeterProvider(provider => provider.AddInMemoryExporter(metrics));
        builder.Services.ConfigureOpenTelemetryTracerProvider(provider => provider.AddInMemoryExporter(spans));
        using var host = builder.Build();
        await host.StartAsync(Cancel);
        // Calls that belong to no work leave no spans.
        using var activities = new ActivitySource("Platform.Tests");
        using var work = activities.StartActivity("work");
        Assert.NotNull(work);
        var database = host.Services.GetRequiredService<IMongoDatabase>();
        var collection = database.GetCollection<BsonDocument>("things");
        await collection.InsertManyAsync(Enumerable.Range(0, 1000).Select(i => new BsonDocument("_id", i)), cancellationToken: Cancel);
        var held = database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "aggregate", "things" }, { "pipeline", new BsonArray { Slow() } }, { "cursor", new BsonDocument() } },
            cancellationToken: Cancel);
        await Wait.UntilAsync(() => host.Services.GetRequiredService<IMongoProbe>().Pool.InUse == 1, "the connection is in use", Cancel);
        await Assert.ThrowsAsync<TimeoutException>(() => collection.Find(new BsonDocument("_id", 1)).FirstAsync(Cancel));
        await held;
        await collection.Find(new BsonDocument("_id", 1)).FirstAsync(Cancel);

        // One of the exporters reaches nobody, so they do not say that all went well.
        _ = host.Services.GetRequiredService<MeterProvider>().ForceFlush();
        _ = host.Services.GetRequiredService<TracerProvider>().ForceFlush();
        await host.StopAsync(Cancel);

        Assert.Superset(
            new HashSet<string>
            {
                "db.client.connection.count", "db.client.connection.idle.max", "db.client.connection.idle.min", "db.client.connection.max",
                "db.client.connection.pending_requests", "db.client.connection.timeouts", "db.client.connection.create_time",
                "db.client.connection.wait_time", "db.client.connection.use_time", "db.client.operation.duration",
            },
            metrics.Where(metric => metric.MeterName == MongoTelemetry.MeterName).Select(metric => metric.Name).ToHashSet());
        // The listener hears the whole process: this test's own spans are those of its database.
        var own = spans.Where(span => Equals(span.GetTagItem("db.namespace"), name)).ToList();
        Assert.Contains(own, span => span.DisplayName == "find" && Equals(span.GetTagItem("db.collection.name"), "things"));
        Assert.Contains(own, span => span.DisplayName == $"find {name}.things"
            && Equals(span.GetTagItem("db.query.text"), "{ find: things, filter: { _id: ? }, limit: ? }"));
    }

    // A few hundred milliseconds of work for the server: every thing with every thing, and again.
    private static BsonDocument Slow() => new("$lookup", new BsonDocument
    {
        { "from", "things" },
        { "as", "others" },
        { "pipeline", new BsonArray { new BsonDocument(
            "$lookup", new BsonDocument { { "from", "things" }, { "as", "more" }, { "pipeline", new BsonArray { new BsonDocument("$limit", 5) } } }) } },
    });

    private static bool Is(IReadOnlyDictionary<string, object?> tags, string database, string operation, string? collection, string? error) =>
        Equals(tags.GetValueOrDefault("db.namespace"), database) && Equals(tags.GetValueOrDefault("db.operation.name"), operation)
        && Equals(tags.GetValueOrDefault("db.collection.name"), collection) && Equals(tags.GetValueOrDefault("error.type"), error);

    private string NewName() => server.NewDatabase().DatabaseNamespace.DatabaseName;

    /// <summary>Services of their own, so their meter is this test's alone, and what it measures.</summary>
    private sealed class Observed : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Lines _log = new();
        private readonly ConcurrentDictionary<string, long> _read = new();
        private readonly ConcurrentDictionary<string, byte> _measured = new();

        public Observed(TimeSpan? slow = null)
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection([new("MongoTelemetry:SlowCommandThreshold", (slow ?? TimeSpan.FromSeconds(30)).ToString())])
                .Build();
            Services = MongoTelemetry.AddMongoTelemetry(
                    new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging(logging => logging.AddProvider(_log)))
                .BuildServiceProvider();
            var meter = Services.GetRequiredService<IMeterFactory>().Create(MongoTelemetry.MeterName);
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                _measured[$"{instrument.Name} {instrument.Unit}"] = 0;
                var state = tags.ToArray().FirstOrDefault(tag => tag.Key == "db.client.connection.state").Value;
                // Of the busiest pool: each member of a set has one.
                _read.AddOrUpdate(state is null ? instrument.Name : $"{instrument.Name} state={state}", value, (_, other) => Math.Max(other, value));
            });
            _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
            {
                _measured[$"{instrument.Name} {instrument.Unit}"] = 0;
                if (instrument.Name == "db.client.operation.duration")
                {
                    Durations.Enqueue(new Dictionary<string, object?>(tags.ToArray()));
                }
            });
            _listener.Start();
        }

        public ServiceProvider Services { get; }

        public ConcurrentQueue<IReadOnlyDictionary<string, object?>> Durations { get; } = new();

        public ConcurrentQueue<string> Lines => _log.Written;

        public HashSet<string> Measured => [.. _measured.Keys];

        public ConcurrentDictionary<string, long> Read()
        {
            _read.Clear();
            _listener.RecordObservableInstruments();
            return _read;
        }

        public void Dispose()
        {
            _listener.Dispose();
            Services.Dispose();
        }
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue(formatter(state, exception));

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
