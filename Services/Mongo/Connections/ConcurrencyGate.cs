using Microsoft.Extensions.Options;

namespace Platform.Mongo.Connections;

/// <summary>
/// Lets in as many requests at once as the pool has open connections, and more, up to the most that it may have, when a request
/// has waited for <see cref="MongoGateOptions.GrowAfter"/>. The next ones queue, in their order, for a short time; the rest is
/// turned away at once. So a flood ends in quick refusals and not in a pool that everybody waits for, and a spike that the open
/// connections can serve makes nobody wait for new ones. Thread-safe.
/// </summary>
/// <remarks>
/// The driver itself makes a caller that finds no idle connection open one, if no more than <c>maxConnecting</c> do so already,
/// and wait for that one, although others come back meanwhile.
/// </remarks>
public sealed class ConcurrencyGate : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _queue = new();
    private readonly TimeProvider _time;
    private readonly ConnectionMetrics _metrics;
    private readonly MongoMetrics _pools;
    private readonly TimeSpan _wait;
    private readonly TimeSpan _growAfter;
    private readonly int _permits;
    private readonly int _atLeast;
    private readonly int _queueLength;
    private int _inside;

    internal ConcurrencyGate(IOptions<MongoOptions> options, TimeProvider time, ConnectionMetrics metrics, MongoMetrics pools)
    {
        var (mongo, gate) = (options.Value, options.Value.Gate);
        _permits = gate.Permits > 0 ? gate.Permits : mongo.MaxPoolSize;
        // When no connection is open, somebody has to be the first.
        _atLeast = Math.Min(_permits, Math.Max(1, mongo.MaxConnecting));
        (_wait, _growAfter, _queueLength) = (gate.QueueTimeout, gate.GrowAfter, gate.QueueLength);
        (_time, _metrics, _pools) = (time, metrics, pools);
    }

    // Those that the open connections serve.
    private int Served => _growAfter == TimeSpan.Zero ? _permits : Math.Clamp(_pools.LargestPool, _atLeast, _permits);

    /// <summary>Waits to be let in.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The pass, to be disposed when the work is done; null when turned away.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public ValueTask<IDisposable?> EnterAsync(CancellationToken cancellationToken = default)
    {
        Waiter? waiter = null;
        var refused = false;
        lock (_lock)
        {
            // Whoever finds the queue full, or has none to wait in, cannot wait for an open connection either.
            if (_queue.Count == 0 && _inside < (_queueLength == 0 ? _permits : Served))
            {
                _inside++;
            }
            else if (_queue.Count < _queueLength || LetFirstIn())
            {
                waiter = new Waiter(this, _time.GetTimestamp());
                _queue.AddLast(waiter.Place);
                LetIn();
            }
            else
            {
                refused = true;
            }
        }

        if (waiter is not null)
        {
            return WaitAsync(waiter, cancellationToken);
        }

        _metrics.WaitDuration.Record(0);
        if (refused)
        {
            Reject("full");
        }

        return ValueTask.FromResult<IDisposable?>(refused ? null : new Pass(this));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var waiter in _queue)
            {
                waiter.Refuse();
            }

            _queue.Clear();
        }
    }

    private async ValueTask<IDisposable?> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        _metrics.Waiting.Add(1);
        try
        {
            using var timer = _time.CreateTimer(static waiter => ((Waiter)waiter!).Due(), waiter, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            waiter.Start(timer);
            using var cancellation = cancellationToken.UnsafeRegister(static (waiter, token) => ((Waiter)waiter!).Cancel(token), waiter);
            var pass = await waiter.Pass;
            if (pass is null)
            {
                Reject("late");
            }

            return pass;
        }
        finally
        {
            _metrics.Waiting.Add(-1);
            _metrics.WaitDuration.Record(_time.GetElapsedTime(waiter.Since).TotalSeconds);
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            _inside--;
            LetIn();
        }
    }

    // In the lock.
    private void LetIn()
    {
        while (_queue.First is { } first && _inside < (first.Value.IsImpatient ? _permits : Served))
        {
            _ = LetFirstIn();
        }
    }

    // In the lock.
    private bool LetFirstIn()
    {
        if (_inside >= _permits || _queue.First is not { } first)
        {
            return false;
        }

        _queue.RemoveFirst();
        _inside++;
        first.Value.Accept(new Pass(this));
        return true;
    }

    private void Reject(string reason) => _metrics.Rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));

    private sealed class Pass(ConcurrencyGate gate) : IDisposable
    {
        private ConcurrencyGate? _gate = gate;

        public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Leave();
    }

    private sealed class Waiter
    {
        private readonly ConcurrencyGate _gate;
        // Continuations run elsewhere: the gate's lock is held when it ends.
        private readonly TaskCompletionSource<IDisposable?> _pass = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ITimer? _timer;

        public Waiter(ConcurrencyGate gate, long since)
        {
            (_gate, Since) = (gate, since);
            Place = new LinkedListNode<Waiter>(this);
        }

        public LinkedListNode<Waiter> Place { get; }

        public Task<IDisposable?> Pass => _pass.Task;

        public long Since { get; }

        /// <summary>Whether it has waited for open connections long enough.</summary>
        public bool IsImpatient { get; private set; }

        // First until it is impatient, then until it is too late.
        public void Start(ITimer timer)
        {
            _timer = timer;
            timer.Change(_gate._growAfter > TimeSpan.Zero ? _gate._growAfter : _gate._wait, Timeout.InfiniteTimeSpan);
        }

        public void Due()
        {
            lock (_gate._lock)
            {
                if (Place.List is null)
                {
                    return;
                }

                if (!IsImpatient && _gate._growAfter > TimeSpan.Zero)
                {
                    IsImpatient = true;
                    _gate.LetIn();
                    if (Place.List is not null)
                    {
                        var rest = _gate._wait - _gate._time.GetElapsedTime(Since);
                        _timer!.Change(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                    }
                }
                else
                {
                    _gate._queue.Remove(Place);
                    Refuse();
                }
            }
        }

        public void Cancel(CancellationToken cancellationToken)
        {
            lock (_gate._lock)
            {
                if (Place.List is not null)
                {
                    _gate._queue.Remove(Place);
                    _pass.TrySetCanceled(cancellationToken);
                }
            }
        }

        public void Accept(IDisposable pass) => _pass.TrySetResult(pass);

        public void Refuse() => _pass.TrySetResult(null);
    }
}
