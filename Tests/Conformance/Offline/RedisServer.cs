using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

/// <summary>A Redis of its own on a free port, started by the script that the app graph uses.</summary>
public sealed partial class RedisServer : IAsyncLifetime
{
    private const int Terminate = 15;
    private const string Password = "conformance-password";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("redis-");
    private readonly int _port = FreePort();
    private string? _unavailable;
    private Process? _process;

    /// <summary>How to reach it; with short waits, so that tests of its absence are quick.</summary>
    public string ConnectionString => $"127.0.0.1:{_port},password={Password},connectTimeout=500,asyncTimeout=500,connectRetry=0";

    /// <summary>Skips the test when this machine cannot run the server.</summary>
    public void Require() => Assert.SkipWhen(_unavailable is not null, _unavailable ?? "");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _unavailable = ServerImage.WhyUnavailable();
        if (_unavailable is null)
        {
            await StartAsync();
        }
    }

    /// <summary>Starts it, on the data it had before, and waits until it answers.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(ServerImage.Script("redis"), [ServerImage.Directory, _data.FullName])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["REDIS_PORT"] = _port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["REDIS_PASSWORD"] = Password;
        _process = Process.Start(start)!;
        var output = new System.Collections.Concurrent.ConcurrentQueue<string>();
        _process.OutputDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        var deadline = DateTime.UtcNow + Patience;
        while (true)
        {
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(ConnectionString);
                await connection.GetDatabase().PingAsync();
                return;
            }
            catch (RedisConnectionException exception)
            {
                if (_process.HasExited || DateTime.UtcNow > deadline)
                {
                    throw new InvalidOperationException($"Redis does not answer: {string.Join(Environment.NewLine, output)}", exception);
                }

                await Task.Delay(20);
            }
        }
    }

    /// <summary>Shuts it down in good order.</summary>
    public async Task StopAsync()
    {
        if (_process is { HasExited: false } process)
        {
            Assert.Equal(0, Kill(process.Id, Terminate));
            await process.WaitForExitAsync().WaitAsync(Patience);
        }

        _process?.Dispose();
        _process = null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _data.Delete(recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
