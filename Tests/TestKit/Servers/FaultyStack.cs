using System.Globalization;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>The API in a process of its own, with proxies before its database and its cache.</summary>
internal sealed class FaultyStack : IAsyncDisposable
{
    /// <summary>How long the API waits for its cache.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly RedisProcess _redis;
    private readonly ApiProcess _api;
    private bool _killed;

    private FaultyStack(RedisProcess redis, ApiProcess api, IMongoDatabase database, FaultProxy mongo, FaultProxy cache) =>
        (_redis, _api, Database, Mongo, Cache) = (redis, api, database, mongo, cache);

    /// <summary>The database, without faults.</summary>
    public IMongoDatabase Database { get; }

    /// <summary>Between the API and its database.</summary>
    public FaultProxy Mongo { get; }

    /// <summary>Between the API and its cache.</summary>
    public FaultProxy Cache { get; }

    /// <summary>The API.</summary>
    public HttpClient Api => _api.Client;

    /// <summary>Starts it on a new database, and returns when it is healthy. Skips the test when this machine has no Redis.</summary>
    /// <param name="server">The database's server.</param>
    /// <param name="seed">The seed of the faults.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="settings">Settings of the API besides those that all have.</param>
    public static async Task<FaultyStack> StartAsync(
        MongoServer server, int seed, CancellationToken cancellationToken, params (string Name, string? Value)[] settings)
    {
        var reason = ServerImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        var database = server.NewDatabase(MongoFeature.Transactions);
        var redis = await RedisProcess.StartAsync(cancellationToken);
        var mongo = server.Proxy(seed);
        var cache = new FaultProxy("127.0.0.1", redis.Port, protocol: FaultProtocol.Tcp);
        try
        {
            var api = await ApiProcess.StartHealthyAsync(
                server.Through(mongo.Port, database),
                string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{cache.Port},password={redis.Password}"),
                new Dictionary<string, string?>(settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)))
                {
                    // Long enough to be told from a busy machine.
                    ["Cache__Patience"] = Patience.ToString(),
                    ["Cache__Rest"] = "00:00:02",
                    // Faults strike what a test does, by count.
                    ["Cache__Warming"] = "false",
                },
                cancellationToken);
            return new FaultyStack(redis, api, database, mongo, cache);
        }
        catch
        {
            await mongo.DisposeAsync();
            await cache.DisposeAsync();
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>The latest of what the API wrote.</summary>
    public string Output => _api.Process.Output;

    /// <summary>Kills the API: no good-bye to anyone.</summary>
    public async Task KillApiAsync()
    {
        if (!_killed)
        {
            _killed = true;
            await _api.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillApiAsync();
        await Mongo.DisposeAsync();
        await Cache.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
