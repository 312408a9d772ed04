using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Platform.Tests.TestKit.Servers;

/// <summary>Redis, started by the script that the app graph uses, with data of its own.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private ServerProcess _process;

    private readonly string? _policy;
    private readonly string? _tls;

    private RedisProcess(DirectoryInfo directory, int port, string password, string? policy, string? tls)
    {
        (_directory, Port, Password, _policy, _tls) = (directory, port, password, policy, tls);
        _process = StartServer();
    }

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Its process.</summary>
    public int Process => _process.Id;

    /// <summary>The password, also of the user of the API.</summary>
    public string Password { get; }

    /// <summary>How who may do everything connects.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port},password={Password}");

    /// <summary>How the API connects.</summary>
    public string ApiConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port},user=api,password={Password}");

    /// <summary>How the monitor connects.</summary>
    public string MonitorConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port},user=monitor,password={Password}");

    /// <summary>Starts it and waits until it takes connections.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="policy">What it evicts when it is full; null: the default.</param>
    /// <param name="tls">The directory with its certificate, for TLS alone; null: there is no TLS.</param>
    public static async Task<RedisProcess> StartAsync(CancellationToken cancellationToken, string? policy = null, string? tls = null)
    {
        var redis = new RedisProcess(Directory.CreateTempSubdirectory("redis-"), FreePort.Find(), RandomNumberGenerator.GetHexString(24), policy, tls);
        try
        {
            await redis.ListensAsync(cancellationToken);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills it, without a good-bye, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        await _process.KillAsync();
        await _process.DisposeAsync();
    }

    /// <summary>Starts it again after <see cref="KillAsync"/>, at the same address and on the data that it left.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        _process = StartServer();
        await ListensAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.KillAsync();
        await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private ServerProcess StartServer() =>
        StartServer(Path.Combine(_directory.FullName, "data"), Port, Password, [new("REDIS_MAXMEMORY_POLICY", _policy), new("REDIS_TLS", _tls)]);

    private Task ListensAsync(CancellationToken cancellationToken) => _process.UntilAsync(() => ListensAsync(Port, cancellationToken), cancellationToken);

    /// <summary>Starts a server by the script of the app graph.</summary>
    /// <param name="data">Where its data are.</param>
    /// <param name="port">Its port on 127.0.0.1.</param>
    /// <param name="password">The password of all its users.</param>
    /// <param name="settings">Further environment variables of the script.</param>
    internal static ServerProcess StartServer(string data, int port, string password, IEnumerable<KeyValuePair<string, string?>> settings) =>
        ServerProcess.Start(
            ServerImage.Script("redis"),
            [ServerImage.Directory, data],
            new Dictionary<string, string?>(settings)
            {
                ["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture), ["REDIS_PASSWORD"] = password, ["REDIS_API_PASSWORD"] = password,
                ["REDIS_MONITOR_PASSWORD"] = password,
            });

    /// <summary>Whether something listens on a port of 127.0.0.1.</summary>
    internal static async Task<bool> ListensAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
