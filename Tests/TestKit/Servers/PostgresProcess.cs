using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>PostgreSQL with the DocumentDB extension, started by the script that the app graph uses.</summary>
internal sealed partial class PostgresProcess
{
    private const int Terminate = 15;
    private const int KillAtOnce = 9;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _data;
    private readonly Queue<string> _output = new();
    private int _crashes;

    private PostgresProcess(Process process, string data, string sockets)
    {
        _process = process;
        _data = data;
        ConnectionString = $"Host={sockets};Username=postgres;Database=postgres";
    }

    /// <summary>How to reach it.</summary>
    public string ConnectionString { get; }

    /// <summary>How many of its processes have ended by a signal.</summary>
    public int Crashes => Volatile.Read(ref _crashes);

    /// <summary>Starts it on the data in a directory and waits until it takes connections.</summary>
    public static async Task<PostgresProcess> StartAsync(DirectoryInfo directory)
    {
        var (data, sockets) = (Path.Combine(directory.FullName, "data"), Path.Combine(directory.FullName, "s"));
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(
                ServerImage.Script("postgres"), [ServerImage.Directory, data, sockets])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        var postgres = new PostgresProcess(process, data, sockets);
        process.OutputDataReceived += postgres.Keep;
        process.ErrorDataReceived += postgres.Keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await postgres.WaitAsync();
        return postgres;
    }

    /// <summary>Shuts it down in good order.</summary>
    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            Assert.Equal(0, Kill(_process.Id, Terminate));
            await _process.WaitForExitAsync().WaitAsync(s_patience);
        }

        _process.Dispose();
    }

    /// <summary>
    /// Kills it at once: no good-bye to anyone and nothing written down. Returns when none of its processes is left, since a new server
    /// does not start beside remains of the old one.
    /// </summary>
    public async Task KillAsync()
    {
        // The server's own number is the first line; it has no pid namespace of its own.
        var server = int.Parse((await File.ReadAllLinesAsync(Path.Combine(_data, "cluster", "postmaster.pid")))[0], CultureInfo.InvariantCulture);
        int[] workers =
        [
            .. (await File.ReadAllTextAsync($"/proc/{server}/task/{server}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)),
        ];
        Assert.NotEmpty(workers);
        Assert.Equal(0, Kill(server, KillAtOnce));
        await _process.WaitForExitAsync().WaitAsync(s_patience);
        var started = Stopwatch.GetTimestamp();
        while (workers.Any(IsAlive))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < s_patience, "Processes of PostgreSQL outlive their server.");
            await Task.Delay(10);
        }
    }

    // A zombie holds nothing any more; somebody has yet to ask for its exit code.
    private static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadLines($"/proc/{pid}/status").Any(line => line.StartsWith("State:", StringComparison.Ordinal) && line.Contains('Z', StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task WaitAsync()
    {
        var deadline = DateTime.UtcNow + s_patience;
        await using var source = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false");
        while (true)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync();
                return;
            }
            catch (NpgsqlException e) when (DateTime.UtcNow < deadline)
            {
                if (_process.HasExited)
                {
                    throw new InvalidOperationException($"PostgreSQL ended with {_process.ExitCode}: {Output()}", e);
                }

                await Task.Delay(50);
            }
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data?.Contains("was terminated by signal", StringComparison.Ordinal) == true)
        {
            Interlocked.Increment(ref _crashes);
        }

        lock (_output)
        {
            _output.Enqueue(line.Data ?? "");
            if (_output.Count > 30)
            {
                _output.Dequeue();
            }
        }
    }

    private string Output()
    {
        lock (_output)
        {
            return string.Join(Environment.NewLine, _output);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
