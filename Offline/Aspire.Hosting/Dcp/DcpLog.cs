using System.Net.Sockets;
using System.Text;

namespace Aspire.Hosting.Dcp;

/// <summary>
/// The log of the dcp processes: each connects to a Unix socket of ours (<c>DCP_LOG_SOCKET</c>) and writes lines
/// <c>time TAB level TAB category TAB message [TAB json]</c>. An open connection is also the proof that a dcp process lives.
/// </summary>
internal sealed class DcpLog : IAsyncDisposable
{
    private const int Kept = 500;

    private readonly Socket _listener;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private readonly Task _accepting;
    private readonly List<Task> _readers = [];
    private readonly HashSet<int> _pids = [];
    private string? _lastError;
    private int _open;
    private bool _seen;
    private TaskCompletionSource _allClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DcpLog(string socketPath)
    {
        SocketPath = socketPath;
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public string SocketPath { get; }

    /// <summary>The last error of any of the processes, without time and category.</summary>
    public string? LastError
    {
        get
        {
            lock (_gate)
            {
                return _lastError;
            }
        }
    }

    /// <summary>Whether processes have connected and none is connected now.</summary>
    public bool AllGone
    {
        get
        {
            lock (_gate)
            {
                return _seen && _open == 0;
            }
        }
    }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The process ids of those that are connected, where the system tells.</summary>
    public IReadOnlyList<int> Connected
    {
        get
        {
            lock (_gate)
            {
                return [.. _pids];
            }
        }
    }

    /// <summary>Waits until no dcp process is connected any more.</summary>
    public async Task WaitAllGoneAsync(CancellationToken cancellationToken)
    {
        while (!AllGone)
        {
            Task closed;
            lock (_gate)
            {
                closed = _allClosed.Task;
            }

            await closed.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Task[] readers;
        lock (_gate)
        {
            readers = [.. _readers];
        }

        await Task.WhenAll(readers);
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var connection = await _listener.AcceptAsync(_closing.Token);
                lock (_gate)
                {
                    _seen = true;
                    _open++;
                    if (_allClosed.Task.IsCompleted)
                    {
                        _allClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    }

                    _readers.RemoveAll(r => r.IsCompleted);
                    _readers.Add(ReadAsync(connection));
                }
            }
            catch (Exception ex) when (_closing.IsCancellationRequested && ex is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ReadAsync(Socket connection)
    {
        await Task.Yield(); // the caller holds the lock
        var pid = UnixProcess.PeerOf(connection);
        if (pid is { } known)
        {
            lock (_gate)
            {
                _pids.Add(known);
            }
        }

        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            while (await reader.ReadLineAsync(_closing.Token) is { } line)
            {
                Add(line);
            }
        }
        catch (Exception ex) when (ex is OperationCanceledException or IOException)
        {
            // A killed process resets its connection: that is the end of its log.
        }

        lock (_gate)
        {
            if (pid is { } gone)
            {
                _pids.Remove(gone);
            }

            if (--_open == 0)
            {
                _allClosed.TrySetResult();
            }
        }
    }

    private void Add(string line)
    {
        var fields = line.Split('\t');
        lock (_gate)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
            {
                _lines.Dequeue();
            }

            if (fields.Length >= 4 && fields[1].StartsWith("err", StringComparison.OrdinalIgnoreCase))
            {
                _lastError = fields[3];
            }
        }
    }
}
