using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Platform.Tests.TestKit.Servers;

/// <summary>Redis, started by the script that the app graph uses, with data of its own.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private ServerProcess _process;

    private RedisProcess(ServerProcess process, DirectoryInfo directory, int port, string password) =>
        (_process, _directory, Port, Password) = (process, directory, port, password);

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

    /// <summary>Starts it and waits until it takes connections.</summary>
    public static async Task<RedisProcess> StartAsync(CancellationToken cancellationToken)
    {
        var (directory, port, password) = (Directory.CreateTempSubdirectory("redis-"), FreePort.Find(), RandomNumberGenerator.GetHexString(24));
        var redis = new RedisProcess(StartServer(directory, port, password), directory, port, password);
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
        _process = StartServer(_directory, Port, Password);
        await ListensAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.KillAsync();
        await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static ServerProcess StartServer(DirectoryInfo directory, int port, string password) => ServerProcess.Start(
        ServerImage.Script("redis"),
        [ServerImage.Directory, Path.Combine(directory.FullName, "data")],
        new Dictionary<string, string?>
        {
            ["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture), ["REDIS_PASSWORD"] = password, ["REDIS_API_PASSWORD"] = password,
        });

    private Task ListensAsync(CancellationToken cancellationToken) => _process.UntilAsync(() => ListensAsync(Port, cancellationToken), cancellationToken);

    private static async Task<bool> ListensAsync(int port, CancellationToken cancellationToken)
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
