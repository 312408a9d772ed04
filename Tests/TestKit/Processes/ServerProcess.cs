using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Platform.Tests.TestKit.Processes;

/// <summary>A program that runs beside tests until it is ended: its latest output is kept for messages.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int GoOn = 18;
    private const int StandStill = 19;
    private const int KeptLines = 5000;
    private const int ShownLines = 60;
    private const int LinesOfCrash = 8;

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
        // Unread output would block it in the end.
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Its exit code, when it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The latest of what it wrote, for messages.</summary>
    public string Output => string.Join(Environment.NewLine, Lines.TakeLast(ShownLines));

    /// <summary>The latest lines that it wrote.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_output)
            {
                return [.. _output];
            }
        }
    }

    /// <summary>How many lines of its output tell of a process that ended by a signal.</summary>
    public int Crashes => Volatile.Read(ref _crashes);

    /// <summary>The latest of these lines, with what the engine wrote around it; null without one.</summary>
    public string? LastCrash { get; private set; }

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

    /// <summary>Starts a program and waits for nothing.</summary>
    /// <param name="program">Its path, or its name on the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string?>> environment)
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ServerProcess(start);
    }

    /// <summary>Waits until it serves.</summary>
    /// <param name="isReady">Whether it does.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ServerFailedException">It has ended.</exception>
    /// <exception cref="TimeoutException">It does not serve within <see cref="Wait.Patience"/>.</exception>
    public Task UntilAsync(Func<Task<bool>> isReady, CancellationToken cancellationToken) => UntilAsync(isReady, Wait.Patience, cancellationToken);

    /// <summary>Waits until it serves.</summary>
    /// <param name="isReady">Whether it does.</param>
    /// <param name="patience">How long that may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ServerFailedException">It has ended.</exception>
    /// <exception cref="TimeoutException">It does not serve in that time.</exception>
    public Task UntilAsync(Func<Task<bool>> isReady, TimeSpan patience, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(_process.StartInfo.FileName);
        return Wait.UntilAsync(
            () => IsRunning ? isReady() : throw new ServerFailedException($"{name} ended with exit code {_process.ExitCode}: {Output}"),
            () => $"{name} serves. {Output}",
            patience,
            cancellationToken);
    }

    /// <summary>Has it stand still, or go on.</summary>
    public void Pause(bool standsStill) => _ = Kill(_process.Id, standsStill ? StandStill : GoOn);

    /// <summary>Ends it by SIGTERM and waits until it has ended.</summary>
    public async Task TerminateAsync()
    {
        if (IsRunning)
        {
            // When the process ended in between there is nothing left to tell.
            _ = Kill(_process.Id, Terminate);
            await _process.WaitForExitAsync().WaitAsync(Wait.Patience);
        }
    }

    /// <summary>Kills it with all that it started: no good-bye to anyone.</summary>
    public async Task KillAsync()
    {
        if (IsRunning)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
    }

    /// <summary>Waits until it has ended.</summary>
    public Task UntilEndedAsync() => _process.WaitForExitAsync().WaitAsync(Wait.Patience);

    /// <summary>Ends it by SIGTERM.</summary>
    public async ValueTask DisposeAsync()
    {
        await TerminateAsync();
        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data?.Contains("was terminated by signal", StringComparison.Ordinal) == true)
        {
            LastCrash = string.Join(Environment.NewLine, [.. Lines.TakeLast(LinesOfCrash), line.Data]);
            Interlocked.Increment(ref _crashes);
        }
        else if (line.Data?.Contains("Failed process was running", StringComparison.Ordinal) == true)
        {
            LastCrash += Environment.NewLine + line.Data;
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

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
