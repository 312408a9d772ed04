using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Platform.Tests.TestKit.Processes;

/// <summary>A server in a process of its own, ended by SIGTERM.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int KeptLines = 30;

    private readonly Process _process;
    private readonly Queue<string> _output = new();
    private int _crashes;

    private ServerProcess(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>How many lines of its output tell of a process that ended by a signal.</summary>
    public int Crashes => Volatile.Read(ref _crashes);

    /// <summary>Processor time that it used so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Memory that it has now, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts a program.</summary>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ServerProcess(start);
    }

    /// <summary>Waits until a check passes.</summary>
    /// <exception cref="InvalidOperationException">The server ended, or the time is over.</exception>
    public async Task WaitUntilAsync(Func<Task<bool>> ready, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await ready())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > patience)
            {
                throw new InvalidOperationException($"{Path.GetFileName(_process.StartInfo.FileName)} did not get ready: {Output()}");
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // When the process ended in between there is nothing left to tell.
            _ = Kill(_process.Id, Terminate);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
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
            if (_output.Count > KeptLines)
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
