using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Dcp;

/// <summary>One copy of a resource that dcp runs as a process.</summary>
internal sealed class ProcessInstance(IResource resource, ResourceInstance instance)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<DcpExecutableStatus> _ended = NewSource();
    private readonly HashSet<string> _formerUids = new(StringComparer.Ordinal);
    private ConsoleReader? _console;
    private string? _uid;

    public IResource Resource { get; } = resource;

    public ResourceInstance Instance { get; } = instance;

    public string Name => Instance.Name;

    /// <summary>One start, stop or restart at a time.</summary>
    public SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>Cancelled when a user asks to start a resource that still waits for others.</summary>
    public CancellationTokenSource? Waiting { get; set; }

    /// <summary>Whether dcp has an object of this name.</summary>
    public bool Created { get; private set; }

    /// <summary>Whether we asked the process to end.</summary>
    public bool StopRequested { get; set; }

    /// <summary>The last state that dcp reported.</summary>
    public DcpExecutableStatus? Status { get; private set; }

    /// <summary>The names of the variables that the model set, for the last start.</summary>
    public IReadOnlyList<DcpEnvironmentVariable> Environment { get; set; } = [];

    /// <summary>The arguments of the last start.</summary>
    public IReadOnlyList<string> Arguments { get; set; } = [];

    /// <summary>Begins to read the console of the present process unless that has begun.</summary>
    public void ReadConsole(Func<ConsoleReader> create)
    {
        lock (_gate)
        {
            _console ??= create();
        }
    }

    /// <summary>Hands over the reader of the console, for whoever finishes it.</summary>
    public ConsoleReader? TakeConsole()
    {
        lock (_gate)
        {
            (var console, _console) = (_console, null);
            return console;
        }
    }

    public static bool IsTerminal(string? state) => state is "Finished" or "FailedToStart" or "Terminated" or "Unknown";

    /// <summary>Completes when the present process has ended.</summary>
    public Task<DcpExecutableStatus> Ended
    {
        get
        {
            lock (_gate)
            {
                return _ended.Task;
            }
        }
    }

    public void Begin()
    {
        lock (_gate)
        {
            // Late news of an earlier object of this name must not be taken for news of the next.
            if (_uid is { } former)
            {
                _formerUids.Add(former);
                _uid = null;
            }

            Created = true;
            StopRequested = false;
            Status = null;
            _ended = NewSource();
        }
    }

    /// <summary>Takes over the id that dcp gave to the object.</summary>
    public void Identify(string? uid)
    {
        lock (_gate)
        {
            _uid = uid;
        }
    }

    public void Forget()
    {
        lock (_gate)
        {
            Created = false;
            Status = null;
        }
    }

    /// <summary>Takes over a state.</summary>
    /// <returns>False when it says nothing new, comes after the end, or is of an earlier object.</returns>
    public bool Update(string? uid, DcpExecutableStatus status)
    {
        lock (_gate)
        {
            var before = Status;
            if (!Created || (uid is not null && _formerUids.Contains(uid)) || IsTerminal(before?.State) || (before?.State == status.State && before?.Pid == status.Pid))
            {
                return false;
            }

            Status = status;
            if (IsTerminal(status.State))
            {
                _ended.TrySetResult(status);
            }

            return true;
        }
    }

    private static TaskCompletionSource<DcpExecutableStatus> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
