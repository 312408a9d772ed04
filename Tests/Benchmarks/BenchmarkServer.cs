using System.Security.Cryptography;

namespace Platform.Benchmarks;

/// <summary>PostgreSQL with DocumentDB and the gateway, in processes and a temporary directory of their own.</summary>
internal sealed class BenchmarkServer : IAsyncDisposable
{
    /// <summary>The administrative user of the gateway, who is a role of PostgreSQL, too.</summary>
    public const string User = "bench";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bench-");
    private PostgresProcess? _postgres;
    private GatewayProcess? _gateway;

    private BenchmarkServer()
    {
    }

    /// <summary>The gateway's port.</summary>
    public int Port { get; } = FreePort.Find();

    /// <summary>The password of <see cref="User"/>.</summary>
    public string Password { get; } = RandomNumberGenerator.GetHexString(32);

    /// <summary>The gateway's process.</summary>
    public ServerProcess Gateway => _gateway!.Process;

    /// <summary>PostgreSQL's process.</summary>
    public ServerProcess Postgres => _postgres!.Process;

    /// <summary>The processor time that both servers, and what they started, used so far.</summary>
    public TimeSpan ProcessorTime => ProcessTree.ProcessorTime([Gateway.Id, Postgres.Id]);

    /// <summary>How to reach the gateway.</summary>
    public string ConnectionString => ConnectionStringOf(Port);

    /// <summary>How to reach PostgreSQL, past the gateway.</summary>
    public string EngineConnectionString => _postgres!.ConnectionString;

    /// <summary>How to reach the gateway through another port; the driver does not go around it.</summary>
    public string ConnectionStringOf(int port) =>
        $"mongodb://{User}:{Password}@127.0.0.1:{port}/bench?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true";

    /// <summary>Starts both servers, the gateway with further settings, and returns when they answer.</summary>
    /// <exception cref="BenchmarkException">The machine lacks something.</exception>
    /// <exception cref="ServerFailedException">A server does not start.</exception>
    public static async Task<BenchmarkServer> StartAsync(IReadOnlyDictionary<string, string> gatewaySettings, CancellationToken cancellationToken)
    {
        if (ServerImage.WhyUnavailable() is { } reason)
        {
            throw new BenchmarkException(reason);
        }

        var server = new BenchmarkServer();
        try
        {
            server._postgres = await PostgresProcess.StartAsync(server._directory, cancellationToken);
            server._gateway = GatewayProcess.Start(
                server.EngineConnectionString, server.Port, User, server.Password,
                gatewaySettings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)));
            await server._gateway.UntilReadyAsync(cancellationToken);
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
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }
}
