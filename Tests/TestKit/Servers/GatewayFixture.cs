using Microsoft.AspNetCore.Builder;
using MongoDB.Driver;
using Platform.Gateway;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>A PostgreSQL of its own in a temporary directory, and the gateway in front of it in this process.</summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    /// <summary>The administrative user.</summary>
    public const string User = "platform";

    /// <summary>Its password.</summary>
    public const string Password = "conformance, p=ssword";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("gateway-");
    private string? _unavailable;
    private PostgresProcess? _postgres;
    private WebApplication? _gateway;
    private MongoClient? _client;

    /// <summary>The port of the gateway.</summary>
    public int Port { get; } = FreePort.Find();

    /// <summary>A client that is logged in as the administrative user.</summary>
    public MongoClient Client => _client ?? throw new InvalidOperationException("The gateway does not run.");

    /// <summary>How many of PostgreSQL's processes have ended by a signal.</summary>
    public int Crashes => Postgres.Crashes;

    /// <summary>The process of PostgreSQL.</summary>
    internal ServerProcess Postgres => _postgres?.Process ?? throw new InvalidOperationException("PostgreSQL does not run.");

    /// <summary>The connection string of the administrative user.</summary>
    public string ConnectionString => ConnectionStringOf(User, Password);

    /// <summary>How to reach PostgreSQL itself.</summary>
    public string EngineConnectionString => _postgres?.ConnectionString ?? throw new InvalidOperationException("PostgreSQL does not run.");

    /// <summary>The services of the gateway, to look at what it holds.</summary>
    public IServiceProvider Services => _gateway?.Services ?? throw new InvalidOperationException("The gateway does not run.");

    /// <summary>Whether this machine can run the engine.</summary>
    internal bool IsAvailable => _unavailable is null;

    /// <summary>The connection string of a user.</summary>
    public string ConnectionStringOf(string user, string password) =>
        $"mongodb://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@127.0.0.1:{Port}/"
        + "?authSource=admin&authMechanism=SCRAM-SHA-256&replicaSet=rs0";

    /// <summary>A database that is this test's alone.</summary>
    public IMongoDatabase NewDatabase()
    {
        Require();
        return Client.GetDatabase("t" + Guid.NewGuid().ToString("N"));
    }

    /// <summary>Skips the test when this machine cannot run the engine.</summary>
    public void Require() => Assert.SkipWhen(_unavailable is not null, _unavailable ?? "");

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        _unavailable = ServerImage.WhyUnavailable();
        if (_unavailable is not null)
        {
            return;
        }

        await StartPostgresAsync();
        _gateway = Build(Port, EngineConnectionString);
        await GatewayApplication.StartAsync(_gateway, CancellationToken.None);
        _client = new MongoClient(ConnectionString);
    }

    /// <summary>Starts PostgreSQL (again) on the same data.</summary>
    public async Task StartPostgresAsync() => _postgres = await PostgresProcess.StartAsync(_directory, CancellationToken.None);

    /// <summary>Stops PostgreSQL.</summary>
    public async Task StopPostgresAsync()
    {
        if (_postgres is { } postgres)
        {
            _postgres = null;
            await postgres.DisposeAsync();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_gateway is not null)
        {
            await _gateway.StopAsync();
            await _gateway.DisposeAsync();
        }

        await StopPostgresAsync();
        _directory.Delete(recursive: true);
    }

    internal static WebApplication Build(int port, string postgres, params string[] more) => GatewayApplication.Build(
    [
        $"--Gateway:Port={port}",
        $"--Gateway:RootUsername={User}",
        $"--Gateway:RootPassword={Password}",
        $"--ConnectionStrings:postgres={postgres}",
        "--urls=http://127.0.0.1:0",
        "--Logging:LogLevel:Default=Critical",
        "--Gateway:Traces=true",
        .. more,
    ]);
}
