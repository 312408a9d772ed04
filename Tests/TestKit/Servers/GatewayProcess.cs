using System.Diagnostics;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>A PostgreSQL, and the gateway before it as a process that can be killed and started again on the same port.</summary>
public sealed class GatewayProcess : IAsyncLifetime
{
    private const string Password = "kill me";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("gateway-loss-");
    private readonly int _port = GatewayFixture.FreePort();
    private PostgresProcess? _postgres;
    private Process? _gateway;

    /// <summary>The connection string of the administrative user.</summary>
    public string ConnectionString =>
        $"mongodb://{GatewayFixture.User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{_port}/platform?authSource=admin&authMechanism=SCRAM-SHA-256&replicaSet=rs0";

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (ServerImage.WhyUnavailable() is null)
        {
            _postgres = await PostgresProcess.StartAsync(_directory);
        }
    }

    /// <summary>Starts the gateway and waits for nothing.</summary>
    public void Start()
    {
        var reason = ServerImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Platform.Gateway.dll")])
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["Gateway__Port"] = _port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["Gateway__RootUsername"] = GatewayFixture.User;
        start.Environment["Gateway__RootPassword"] = Password;
        start.Environment["ConnectionStrings__postgres"] = _postgres!.ConnectionString;
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        _gateway = Process.Start(start) ?? throw new InvalidOperationException("The gateway did not start.");
        // Unread output would block it in the end.
        _gateway.BeginOutputReadLine();
        _gateway.BeginErrorReadLine();
    }

    /// <summary>Waits until the gateway serves commands.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var client = new MongoClient(ConnectionString);
        await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), ReadPreference.Primary, cancellationToken);
    }

    /// <summary>Kills the gateway: no good-bye to anyone.</summary>
    public async Task KillAsync()
    {
        if (_gateway is { } gateway)
        {
            _gateway = null;
            gateway.Kill();
            await gateway.WaitForExitAsync();
            gateway.Dispose();
        }
    }

    /// <summary>Kills PostgreSQL, and leaves the gateway without its engine.</summary>
    public async Task KillEngineAsync()
    {
        if (_postgres is { } postgres)
        {
            _postgres = null;
            await postgres.KillAsync();
            await postgres.StopAsync();
        }
    }

    /// <summary>Starts PostgreSQL again on what the killed one left.</summary>
    public async Task StartEngineAsync() => _postgres = await PostgresProcess.StartAsync(_directory);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        if (_postgres is not null)
        {
            await _postgres.StopAsync();
        }

        _directory.Delete(recursive: true);
    }
}
