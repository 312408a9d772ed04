using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Monitor.Collectors;
using Platform.Monitor.Queries;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Monitoring;

/// <summary>The collectors on a running MongoDB and Redis: what is planted shows.</summary>
public sealed class MonitorCollectorTests(MongoServer mongo)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_their_connections_and_operations_are_shown_and_one_that_is_down_is()
    {
        mongo.Require();
        using var members = new MongoMembers(mongo.ConnectionString, s_patience);
        var collector = new MongoCollector(members, TimeProvider.System);
        var first = await collector.CollectAsync(Cancel);
        Assert.Equal(1, Value(first, MetricCatalogue.MongoUp, mongo.Address));
        Assert.Equal(1, Value(first, MetricCatalogue.MongoPrimary, mongo.Address));
        Assert.Equal(1, Value(first, MetricCatalogue.MongoMemberState, mongo.Address));
        Assert.True(Value(first, MetricCatalogue.MongoConnections, mongo.Address, "current") >= 1);

        var database = mongo.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertManyAsync(Enumerable.Range(0, 10).Select(i => new BsonDocument("_id", i)), null, Cancel);
        var second = await collector.CollectAsync(Cancel);
        Assert.True(
            Value(second, MetricCatalogue.MongoOperations, mongo.Address, "insert") > Value(first, MetricCatalogue.MongoOperations, mongo.Address, "insert"));

        members.Learn([.. members.Known, $"127.0.0.1:{FreePort.Find()}"]);
        var third = await collector.CollectAsync(Cancel);
        var up = third.Where(sample => sample.Metric == MetricCatalogue.MongoUp).Select(sample => sample.Value).ToList();
        Assert.Single(up, value => value == 0);
        Assert.True(up.Count > 1);
        Assert.All(up.Where(value => value != 0), value => Assert.Equal(1, value));
    }

    [Fact]
    public async Task A_slow_query_is_counted_and_logged_with_its_shape_and_without_its_values()
    {
        // The profiler of a database of one's own is turned on, and with a threshold of 0 everything is slow.
        var database = mongo.NewDatabase(MongoFeature.SoleUse);
        await database.RunCommandAsync<BsonDocument>(new BsonDocument { { "profile", 0 }, { "slowms", 0 } }, cancellationToken: Cancel);
        await database.GetCollection<BsonDocument>(CollectionNames.Orders).InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        using var members = new MongoMembers(mongo.ConnectionString, s_patience);
        var log = new LinesLogger();
        var collector = new SlowQueryCollector(members, database.DatabaseNamespace.DatabaseName, turnsOn: true, new SlowQueryLog(), log);
        await collector.CollectAsync(Cancel); // turns it on

        IReadOnlyList<Sample> samples = [];
        await Wait.UntilAsync(
            async () =>
            {
                await database.GetCollection<BsonDocument>(CollectionNames.Orders).Find(new BsonDocument("note", "a secret of somebody")).ToListAsync(Cancel);
                samples = await collector.CollectAsync(Cancel);
                return samples.Any(sample => sample.Metric == MetricCatalogue.MongoScans && sample.Labels[0] == CollectionNames.Orders && sample.Value > 0);
            },
            "the slow query is counted",
            Cancel);
        Assert.True(Value(samples, MetricCatalogue.MongoSlow, CollectionNames.Orders, "query") > 0);
        var line = Assert.Single(log.Lines.Where(line => line.Contains("note: ?", StringComparison.Ordinal)).Take(1));
        Assert.Contains("plan COLLSCAN", line, StringComparison.Ordinal);
        Assert.DoesNotContain(log.Lines, said => said.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_of_Redis_is_shown_and_when_it_is_killed_too()
    {
        await using var redis = await RedisProcess.StartAsync(Cancel);
        await using var collector = new RedisCollector(redis.MonitorConnectionString, null, s_patience);
        var samples = await collector.CollectAsync(Cancel);
        var node = $"127.0.0.1:{redis.Port}";
        Assert.Equal(1, Value(samples, MetricCatalogue.RedisUp, node));
        Assert.Equal(1, Value(samples, MetricCatalogue.RedisPersistence, node));
        Assert.True(Value(samples, MetricCatalogue.RedisMemory, node) > 100_000);
        Assert.Equal(256 * 1024 * 1024, Value(samples, MetricCatalogue.RedisMemoryLimit, node));

        await redis.KillAsync();
        Assert.Equal(0, Value(await collector.CollectAsync(Cancel), MetricCatalogue.RedisUp, node));
        await redis.StartAgainAsync(Cancel);
        await Wait.UntilAsync(
            async () => Value(await collector.CollectAsync(Cancel), MetricCatalogue.RedisUp, node) == 1, "the node is shown as up again", Cancel);
    }

    [Fact]
    public async Task Who_looks_at_Redis_reads_and_changes_nothing()
    {
        await using var redis = await RedisProcess.StartAsync(Cancel);
        await using var owner = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await owner.GetDatabase().StringSetAsync("platform:v1:secret", "x");
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{redis.MonitorConnectionString},allowAdmin=true,tiebreaker=");
        var database = connection.GetDatabase();
        foreach (var command in (string[][])
            [
                ["GET", "platform:v1:secret"], ["EXISTS", "platform:v1:secret"], ["SET", "platform:v1:secret", "y"], ["DEL", "platform:v1:secret"],
                ["KEYS", "*"],
                ["SCAN", "0"], ["DBSIZE"], ["RANDOMKEY"], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["CONFIG", "SET", "maxmemory", "1"], ["ACL", "LIST"],
                ["CLIENT", "LIST"], ["CLIENT", "KILL", "ID", "1"], ["MONITOR"], ["SHUTDOWN"], ["PUBLISH", "platform:x", "y"],
                ["EVAL", "return 1", "0"], ["CLUSTER", "FAILOVER"], ["SLOWLOG", "GET"], ["REPLICAOF", "NO", "ONE"], ["MODULE", "LIST"],
            ])
        {
            var refused = await Assert.ThrowsAnyAsync<RedisException>(() => database.ExecuteAsync(command[0], [.. command.Skip(1)]));
            Assert.Contains("NOPERM", refused.Message, StringComparison.Ordinal);
        }

        Assert.Contains("used_memory", (await database.ExecuteAsync("INFO")).ToString(), StringComparison.Ordinal);
        Assert.Equal("x", await owner.GetDatabase().StringGetAsync("platform:v1:secret"));
    }

    private static double Value(IReadOnlyList<Sample> samples, MetricDefinition metric, params string[] labels) =>
        Assert.Single(samples, sample => sample.Metric == metric && sample.Labels.SequenceEqual(labels)).Value;

    private sealed class LinesLogger : ILogger<SlowQueryCollector>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
