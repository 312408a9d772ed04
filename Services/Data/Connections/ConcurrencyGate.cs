using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Platform.Data.Connections;

/// <summary>
/// Lets in as many requests at once as the pool has connections. The next ones queue, in their order, for a short time; the
/// rest is turned away at once. So a flood ends in quick refusals and not in a pool that everybody waits for. Thread-safe.
/// </summary>
public sealed class ConcurrencyGate : IDisposable
{
    private readonly ConcurrencyLimiter _limiter;
    private readonly TimeSpan _wait;
    private readonly TimeProvider _time;
    private readonly ConnectionMetrics _metrics;

    internal ConcurrencyGate(IOptions<MongoOptions> options, TimeProvider time, ConnectionMetrics metrics)
    {
        var (gate, pool) = (options.Value.Gate, options.Value.MaxPoolSize);
        _limiter = new ConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = gate.Permits > 0 ? gate.Permits : pool,
            QueueLimit = gate.QueueLength,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
        _wait = gate.QueueTimeout;
        _time = time;
        _metrics = metrics;
    }

    /// <summary>Waits to be let in.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The pass, to be disposed when the work is done; null when turned away.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async ValueTask<IDisposable?> EnterAsync(CancellationToken cancellationToken = default)
    {
        var now = _limiter.AttemptAcquire();
        if (now.IsAcquired)
        {
            _metrics.WaitDuration.Record(0);
            return now;
        }

        now.Dispose();
        var started = _time.GetTimestamp();
        using var limit = new CancellationTokenSource(_wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        _metrics.Waiting.Add(1);
        try
        {
            var lease = await _limiter.AcquireAsync(1, either.Token);
            if (lease.IsAcquired)
            {
                return lease;
            }

            lease.Dispose();
            Reject("full");
            return null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Reject("late");
            return null;
        }
        finally
        {
            _metrics.Waiting.Add(-1);
            _metrics.WaitDuration.Record(_time.GetElapsedTime(started).TotalSeconds);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _limiter.Dispose();

    private void Reject(string reason) => _metrics.Rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
