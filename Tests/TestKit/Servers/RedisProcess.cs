using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Platform.Tests.TestKit.Servers;

/// <summary>Redis, started by the script that the app graph uses, with data of its own.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private readonly ServerProcess _process;
    private readonly DirectoryInfo _directory;

    private RedisProcess(ServerProcess process, DirectoryInfo directory, int port, string password) =>
        (_process, _directory, Port, Password) = (process, directory, port, password);

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Its process.</summary>
    public int Process => _process.Id;

    /// <summary>The password.</summary>
    public string Password { get; }

    /// <summary>Starts it and waits until it takes connections.</summary>
    public static async Task<RedisProcess> StartAsync(CancellationToken cancellationToken)
    {
        var (directory, port, password) = (Directory.CreateTempSubdirectory("redis-"), FreePort.Find(), RandomNumberGenerator.GetHexString(24));
        var process = ServerProcess.Start(
            ServerImage.Script("redis"),
            [ServerImage.Directory, Path.Combine(directory.FullName, "data")],
            new Dictionary<string, string?> { ["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture), ["REDIS_PASSWORD"] = password });
        var redis = new RedisProcess(process, directory, port, password);
        try
        {
            await process.UntilAsync(() => ListensAsync(port, cancellationToken), cancellationToken);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.KillAsync();
        await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

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
