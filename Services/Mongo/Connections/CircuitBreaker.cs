namespace Platform.Mongo.Connections;

/// <summary>
/// Refuses calls to a server for a while when too many failed, then lets one through to try. A call may succeed, fail, or say nothing
/// about the server, as when its caller gave up: then it counts as neither, and when it was the one to try, the next one tries.
/// Outcomes of calls that began before the breaker changed its mind are too old to count. Thread-safe.
/// </summary>
/// <remarks>Polly's breaker knows success and failure only, so that callers who give up close it.</remarks>
public sealed class CircuitBreaker
{
    private const int Slices = 10;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly double _failureRatio;
    private readonly int _minimumThroughput;
    private readonly TimeSpan _breakDuration;
    private readonly long _sliceTicks;
    private readonly (long Slice, int Calls, int Failures)[] _window = new (long, int, int)[Slices];
    private CircuitState _state;
    private long _epoch;
    private long _openedAt;
    private long _probeAt;

    /// <summary>Starts closed.</summary>
    /// <param name="failureRatio">The share of calls that must fail.</param>
    /// <param name="minimumThroughput">The number of calls below which nothing is concluded.</param>
    /// <param name="samplingDuration">The time over which calls are counted.</param>
    /// <param name="breakDuration">The time for which calls are refused.</param>
    /// <param name="time">The clock.</param>
    public CircuitBreaker(double failureRatio, int minimumThroughput, TimeSpan samplingDuration, TimeSpan breakDuration, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_failureRatio, _minimumThroughput, _breakDuration, _time) = (failureRatio, minimumThroughput, breakDuration, time);
        _sliceTicks = Math.Max(1, (long)(samplingDuration.TotalSeconds * time.TimestampFrequency / Slices));
    }

    /// <summary>Whether calls are let through.</summary>
    public CircuitState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>Asks to be let through. Whoever is tells how the call ended, once.</summary>
    /// <param name="call">Stands for the call.</param>
    /// <param name="retryAfter">When to ask again, for a call that is refused.</param>
    public bool TryEnter(out Call call, out TimeSpan retryAfter)
    {
        lock (_lock)
        {
            if (_state == CircuitState.Closed)
            {
                (call, retryAfter) = (new Call(this, _epoch), TimeSpan.Zero);
                return true;
            }

            // One that tries and is not heard of for as long as a break lasts makes room for the next.
            var rest = _breakDuration - _time.GetElapsedTime(_state == CircuitState.Open ? _openedAt : _probeAt);
            if (rest > TimeSpan.Zero)
            {
                (call, retryAfter) = (default, rest);
                return false;
            }

            (_state, _probeAt) = (CircuitState.HalfOpen, _time.GetTimestamp());
            (call, retryAfter) = (new Call(this, ++_epoch), TimeSpan.Zero);
            return true;
        }
    }

    /// <summary>Whether it closed by this.</summary>
    private bool Succeed(long epoch)
    {
        lock (_lock)
        {
            if (epoch != _epoch || _state == CircuitState.Open)
            {
                return false;
            }

            if (_state == CircuitState.Closed)
            {
                Count(failures: 0);
                return false;
            }

            (_state, _epoch) = (CircuitState.Closed, _epoch + 1);
            Array.Clear(_window);
            return true;
        }
    }

    /// <summary>Whether it opened by this.</summary>
    private bool Fail(long epoch)
    {
        lock (_lock)
        {
            if (epoch != _epoch || _state == CircuitState.Open)
            {
                return false;
            }

            if (_state == CircuitState.Closed)
            {
                var (calls, failures) = Count(failures: 1);
                if (calls < _minimumThroughput || failures < _failureRatio * calls)
                {
                    return false;
                }
            }

            (_state, _openedAt, _epoch) = (CircuitState.Open, _time.GetTimestamp(), _epoch + 1);
            return true;
        }
    }

    private void Abandon(long epoch)
    {
        lock (_lock)
        {
            if (epoch == _epoch && _state == CircuitState.HalfOpen)
            {
                // The break is over already: the next one tries.
                (_state, _epoch) = (CircuitState.Open, _epoch + 1);
            }
        }
    }

    // In the lock.
    private (int Calls, int Failures) Count(int failures)
    {
        var now = _time.GetTimestamp() / _sliceTicks;
        ref var slice = ref _window[now % Slices];
        slice = slice.Slice == now ? (now, slice.Calls + 1, slice.Failures + failures) : (now, 1, failures);
        var (allCalls, allFailures) = (0, 0);
        foreach (var (number, calls, failed) in _window)
        {
            if (now - number < Slices)
            {
                (allCalls, allFailures) = (allCalls + calls, allFailures + failed);
            }
        }

        return (allCalls, allFailures);
    }

    /// <summary>A call that was let through.</summary>
    public readonly struct Call
    {
        private readonly CircuitBreaker? _breaker;
        private readonly long _epoch;

        internal Call(CircuitBreaker breaker, long epoch) => (_breaker, _epoch) = (breaker, epoch);

        /// <summary>The server answered.</summary>
        /// <returns>Whether the breaker closed by this.</returns>
        public bool Succeed() => _breaker?.Succeed(_epoch) == true;

        /// <summary>The server did not answer, or said that it cannot.</summary>
        /// <returns>Whether the breaker opened by this.</returns>
        public bool Fail() => _breaker?.Fail(_epoch) == true;

        /// <summary>How it ended says nothing about the server.</summary>
        public void Abandon() => _breaker?.Abandon(_epoch);
    }
}
