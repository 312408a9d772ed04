using System.Globalization;
using System.Net;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>One of those that are compared: a program that serves the API, with a database and a database of Redis of its own.</summary>
internal sealed class ApiServed : IAsyncDisposable
{
    /// <summary>The name of ours.</summary>
    public const string Ours = "api";

    /// <summary>The name of ours when it sends all its telemetry.</summary>
    public const string Told = "api, all telemetry";

    /// <summary>The name of the one that somebody would write with Fastify, Mongoose and ioredis.</summary>
    public const string Peer = "fastify, mongoose, ioredis";

    private readonly ServerProcess _process;
    private readonly IAsyncDisposable _owner;

    private ApiServed(string name, ServerProcess process, IAsyncDisposable owner, IPEndPoint address, ApiShop shop, int cache) =>
        (Name, _process, _owner, Address, Shop, Cache) = (name, process, owner, address, shop, cache);

    /// <summary>Which it is.</summary>
    public string Name { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>What it serves.</summary>
    public ApiShop Shop { get; }

    /// <summary>The number of its database of Redis.</summary>
    public int Cache { get; }

    /// <summary>Its process.</summary>
    public int Process => _process.Id;

    /// <summary>The latest of what it wrote, for messages.</summary>
    public string Output => _process.Output;

    /// <summary>Makes its database, starts it, and returns when it serves.</summary>
    /// <param name="name">Which.</param>
    /// <param name="number">A number of its own.</param>
    /// <param name="server">Where its database is made.</param>
    /// <param name="redis">Its cache.</param>
    /// <param name="telemetry">The port that takes the telemetry of <see cref="Told"/>.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<ApiServed> StartAsync(
        string name, int number, BenchmarkServer server, RedisProcess redis, int telemetry, CancellationToken cancellationToken)
    {
        var database = string.Create(CultureInfo.InvariantCulture, $"api_{number}");
        var connectionString = server.ConnectionString.Replace("/bench?", $"/{database}?", StringComparison.Ordinal);
        using var client = new MongoClient(server.ConnectionString);
        var shop = await ApiShop.SeedAsync(client.GetDatabase(database), connectionString, cancellationToken);
        if (name == Peer)
        {
            return await StartPeerAsync(connectionString, number, redis, shop, cancellationToken);
        }

        Dictionary<string, string?> settings = new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null };
        if (name == Told)
        {
            settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{telemetry}");
            settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        }

        var api = await ApiProcess.StartHealthyAsync(
            connectionString,
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis.Port},password={redis.Password},defaultDatabase={number}"),
            settings,
            cancellationToken);
        return new ApiServed(name, api.Process, api, api.Address, shop, number);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _owner.DisposeAsync();

    private static async Task<ApiServed> StartPeerAsync(
        string connectionString, int number, RedisProcess redis, ApiShop shop, CancellationToken cancellationToken)
    {
        foreach (var package in new[] { "fastify", "mongoose", "ioredis" })
        {
            if (!Directory.Exists(Path.Combine(NodeTools.Modules, package)))
            {
                throw new BenchmarkException($"The npm package '{package}' is missing in {NodeTools.Modules}: run './platform setup'.");
            }
        }

        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find());
        var process = ServerProcess.Start(
            "node",
            [Path.Combine(AppContext.BaseDirectory, "Peers", "api.js"), address.Port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string?>
            {
                ["NODE_PATH"] = NodeTools.Modules,
                ["NODE_ENV"] = "production",
                ["BENCH_URI"] = connectionString,
                ["BENCH_REDIS"] = string.Create(CultureInfo.InvariantCulture, $"redis://:{redis.Password}@127.0.0.1:{redis.Port}/{number}"),
            });
        var peer = new ApiServed(Peer, process, process, address, shop, number);
        using var client = new HttpClient();
        try
        {
            await process.UntilAsync(
                async () =>
                {
                    try
                    {
                        using var answer = await client.GetAsync(new Uri($"http://{address}/tenants/aurora-outdoor/products"), cancellationToken);
                        return answer.IsSuccessStatusCode;
                    }
                    catch (HttpRequestException)
                    {
                        // It does not listen yet.
                        return false;
                    }
                },
                cancellationToken);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }
}
