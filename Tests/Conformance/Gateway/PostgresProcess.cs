using System.Diagnostics;
using System.Runtime.InteropServices;
using Npgsql;
using Xunit;

namespace Platform.Tests.Conformance.Gateway;

/// <summary>PostgreSQL with the DocumentDB extension, started by the script that the app graph uses.</summary>
internal sealed partial class PostgresProcess
{
    private const int Terminate = 15;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Queue<string> _output = new();

    private PostgresProcess(Process process, string sockets)
    {
        _process = process;
        ConnectionString = $"Host={sockets};Username=postgres;Database=postgres";
    }

    /// <summary>How to reach it.</summary>
    public string ConnectionString { get; }

    /// <summary>Starts it on the data in a directory and waits until it takes connections.</summary>
    public static async Task<PostgresProcess> StartAsync(DirectoryInfo directory)
    {
        var sockets = Path.Combine(directory.FullName, "s");
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(
                ServerImage.Script("postgres"), [ServerImage.Directory, Path.Combine(directory.FullName, "data"), sockets])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        var postgres = new PostgresProcess(process, sockets);
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
