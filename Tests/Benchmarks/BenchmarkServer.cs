using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MongoDB.Driver;
using Npgsql;

namespace Platform.Benchmarks;

/// <summary>PostgreSQL with DocumentDB and the gateway, in processes and a temporary directory of their own.</summary>
internal sealed class BenchmarkServer : IAsyncDisposable
{
    /// <summary>The administrative user of the gateway, who is a role of PostgreSQL, too.</summary>
    public const string User = "bench";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory;
    private readonly List<ServerProcess> _processes = [];

    private BenchmarkServer(DirectoryInfo directory)
    {
        _directory = directory;
        Port = FreePort();
    }

    /// <summary>The gateway's port.</summary>
    public int Port { get; }

    /// <summary>Where the npm packages are.</summary>
    public static string NodeModules => Path.Combine(
        Environment.GetEnvironmentVariable("PLATFORM_NODE_TOOLS") is { Length: > 0 } tools ? tools : Path.Combine(ServerImage.Cache, "node-tools"), "node_modules");

    /// <summary>The password of <see cref="User"/>.</summary>
    public string Password { get; } = RandomNumberGenerator.GetHexString(32);

    /// <summary>How to reach PostgreSQL without the gateway.</summary>
    public string EngineConnectionString => $"Host={Path.Combine(_directory.FullName, "s")};Username=postgres;Database=postgres";

    /// <summary>The gateway's process.</summary>
    public ServerProcess Gateway => _processes[^1];

    /// <summary>PostgreSQL's process.</summary>
    public ServerProcess Postgres => _processes[0];

    /// <summary>How to reach the gateway.</summary>
    public string ConnectionString => ConnectionStringOf(Port);

    /// <summary>How to reach the engine itself, past the gateway.</summary>
    public string PostgresConnectionString => $"Host={Path.Combine(_directory.FullName, "s")};Username=postgres;Database=postgres";

    /// <summary>How to reach the gateway through another port; the driver does not go around it.</summary>
    public string ConnectionStringOf(int port) =>
        $"mongodb://{User}:{Password}@127.0.0.1:{port}/bench?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true";

    /// <summary>Starts both servers, the gateway with further settings, and returns when they answer.</summary>
    /// <exception cref="BenchmarkException">The machine lacks something, or a server does not start.</exception>
    public static async Task<BenchmarkServer> StartAsync(IReadOnlyDictionary<string, string> gatewaySettings, CancellationToken cancellationToken)
    {
        if (ServerImage.WhyUnavailable() is { } reason)
        {
            throw new BenchmarkException(reason);
        }

        var server = new BenchmarkServer(Directory.CreateTempSubdirectory("bench-"));
        try
        {
            await server.StartServersAsync(gatewaySettings, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
        {
            await process.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    /// <summary>A port that is free now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task StartServersAsync(IReadOnlyDictionary<string, string> gatewaySettings, CancellationToken cancellationToken)
    {
        var sockets = Path.Combine(_directory.FullName, "s");
        var database = EngineConnectionString;
        var postgres = ServerProcess.Start(
            ServerImage.Script("postgres"), [ServerImage.Directory, Path.Combine(_directory.FullName, "data"), sockets], new Dictionary<string, string>());
        _processes.Add(postgres);
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await postgres.WaitUntilAsync(() => AnswersAsync<NpgsqlException>(OpenAsync), s_patience, cancellationToken);

        // The password goes by the environment: a command line is readable by everybody on the machine.
        var gateway = ServerProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "Platform.Gateway"),
            [],
            new Dictionary<string, string>(gatewaySettings)
            {
                ["Gateway__Port"] = Port.ToString(CultureInfo.InvariantCulture),
                ["Gateway__RootUsername"] = User,
                ["Gateway__RootPassword"] = Password,
                ["ConnectionStrings__postgres"] = database,
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["Logging__LogLevel__Default"] = "Warning",
            });
        _processes.Add(gateway);
        using var client = new MongoClient(ConnectionString + "&serverSelectionTimeoutMS=1000");
        await gateway.WaitUntilAsync(
            () => AnswersAsync<Exception>(() => client.GetDatabase("bench").RunCommandAsync<MongoDB.Bson.BsonDocument>(new MongoDB.Bson.BsonDocument("ping", 1), cancellationToken: cancellationToken)),
            s_patience,
            cancellationToken);

        async Task OpenAsync()
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
        }
    }

    // While a server starts, refusing connections is its answer.
    private static async Task<bool> AnswersAsync<TRefusal>(Func<Task> ask)
        where TRefusal : Exception
    {
        try
        {
            await ask();
            return true;
        }
        catch (TRefusal refusal) when (refusal is NpgsqlException or MongoException or TimeoutException)
        {
            return false;
        }
    }
}
