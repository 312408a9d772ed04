using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Platform.Tests.TestKit.Servers;

/// <summary>Redis, started by the script that the app graph uses, with data of its own.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly DirectoryInfo _directory;

    private RedisProcess(Process process, DirectoryInfo directory, int port) => (_process, _directory, Port) = (process, directory, port);

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The password.</summary>
    public string Password { get; private init; } = "";

    /// <summary>Starts it and waits until it takes connections.</summary>
    /// <param name="port">A free port.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<RedisProcess> StartAsync(int port, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("redis-");
        var password = RandomNumberGenerator.GetHexString(24);
        var start = new ProcessStartInfo(ServerImage.Script("redis"), [ServerImage.Directory, Path.Combine(directory.FullName, "data")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        start.Environment["REDIS_PASSWORD"] = password;
        var process = Process.Start(start) ?? throw new InvalidOperationException("Redis did not start.");
        // Unread output would block it in the end.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var redis = new RedisProcess(process, directory, port) { Password = password };
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, cancellationToken);
                return redis;
            }
            catch (SocketException) when (!process.HasExited && Stopwatch.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(20, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _directory.Delete(recursive: true);
    }
}
