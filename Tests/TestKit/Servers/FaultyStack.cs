using System.Globalization;
using MongoDB.Driver;

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

    /// <summary>Starts it on a new database, and returns when it is healthy.</summary>
    /// <param name="gateway">The database's server.</param>
    /// <param name="seed">The seed of the faults.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<FaultyStack> StartAsync(GatewayFixture gateway, int seed, CancellationToken cancellationToken)
    {
        var database = gateway.NewDatabase();
        var redis = await RedisProcess.StartAsync(GatewayFixture.FreePort(), cancellationToken);
        var mongo = new FaultProxy("127.0.0.1", gateway.Port, seed);
        var cache = new FaultProxy("127.0.0.1", redis.Port, protocol: FaultProtocol.Tcp);
        var api = ApiProcess.Start(new Dictionary<string, string>
        {
            ["ConnectionStrings__platform"] = string.Create(
                CultureInfo.InvariantCulture,
                $"mongodb://{GatewayFixture.User}:{Uri.EscapeDataString(GatewayFixture.Password)}@127.0.0.1:{mongo.Port}/{database.DatabaseNamespace.DatabaseName}?authSource=admin&authMechanism=SCRAM-SHA-256&replicaSet=rs0"),
            ["ConnectionStrings__cache"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{cache.Port},password={redis.Password}"),
            // Long enough to be told from a busy machine.
            ["ProductCache__Patience"] = Patience.ToString(),
            ["ProductCache__Rest"] = "00:00:02",
            ["Logging__LogLevel__Default"] = "Error",
        });
        var stack = new FaultyStack(redis, api, database, mongo, cache);
        try
        {
            await api.UntilHealthyAsync(cancellationToken);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>The latest of what the API wrote.</summary>
    public string Output => _api.Output;

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
