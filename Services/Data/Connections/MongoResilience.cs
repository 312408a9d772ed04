using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Platform.Data.Connections;

/// <summary>
/// Runs units of work so that passing faults pass unnoticed. A unit that may be repeated is, after an error that server or
/// driver marks as passing and after a lost connection, with growing, jittered pauses, within a number of attempts and a deadline. A unit
/// that may not be repeated never is. Both stand behind one circuit breaker, which refuses work at once while the database is
/// away. It does not replace the driver's own retries, which it stands around. Thread-safe; one per process.
/// </summary>
public sealed partial class MongoResilience
{
    private static readonly ResiliencePropertyKey<Exception?> LastFailure = new("platform.last-failure");

    private readonly ResiliencePipeline _once;
    private readonly ResiliencePipeline _repeated;
    private readonly CircuitBreakerStateProvider _breaker = new();
    private readonly ConnectionMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeSpan _deadline;
    private readonly TimeSpan _breakDuration;

    internal MongoResilience(IOptions<MongoOptions> options, TimeProvider time, ConnectionMetrics metrics, ILogger<MongoResilience> logger)
    {
        _metrics = metrics;
        _logger = logger;
        var (retry, breaker) = (options.Value.Retry, options.Value.Breaker);
        (_deadline, _breakDuration) = (retry.Deadline, breaker.BreakDuration);
        _once = new ResiliencePipelineBuilder { TimeProvider = time }.AddCircuitBreaker(Breaker(breaker)).Build();

        var repeated = new ResiliencePipelineBuilder { TimeProvider = time };
        repeated.AddTimeout(new TimeoutStrategyOptions { Timeout = retry.Deadline });
        if (retry.Attempts > 1)
        {
            var backOff = BackOff(retry);
            backOff.MaxRetryAttempts = retry.Attempts - 1;
            backOff.ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } failure && MongoErrors.IsTransient(failure));
            backOff.OnRetry = OnRetry;
            repeated.AddRetry(backOff);
        }

        // The same breaker, not a copy: what one kind of work finds out holds for the other.
        _repeated = repeated.AddPipeline(_once).Build();
        metrics.ObserveBreaker(() => _breaker.CircuitState switch { CircuitState.Closed => 0, CircuitState.HalfOpen => 1, _ => 2 });
    }

    /// <summary>Whether work is refused at the moment because the database is away.</summary>
    public bool IsOpen => _breaker.CircuitState is CircuitState.Open or CircuitState.Isolated;

    /// <summary>Runs a unit of work.</summary>
    /// <typeparam name="TResult">What the work returns.</typeparam>
    /// <param name="unit">Its name, for logs and metrics; one of few, without data of the caller.</param>
    /// <param name="repetition">Whether it may be repeated; the caller has to know.</param>
    /// <param name="work">The work. It passes the token to all it calls.</param>
    /// <param name="cancellationToken">Cancels the work and the pauses.</param>
    /// <returns>What the work returned.</returns>
    /// <exception cref="DatabaseUnavailableException">The breaker refused the work, or it was not done before the deadline.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<TResult> RunAsync<TResult>(
        string unit, Repetition repetition, Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(unit);
        ArgumentNullException.ThrowIfNull(work);
        var context = ResilienceContextPool.Shared.Get(unit, cancellationToken);
        try
        {
            var pipeline = repetition == Repetition.Allowed ? _repeated : _once;
            return await pipeline.ExecuteAsync(static async (context, work) => await work(context.CancellationToken), context, work);
        }
        catch (BrokenCircuitException exception)
        {
            throw new DatabaseUnavailableException($"{unit}: MongoDB failed too often just now and is not asked for a while.", exception.InnerException ?? exception)
            {
                RetryAfter = exception.RetryAfter ?? _breakDuration,
            };
        }
        catch (TimeoutRejectedException exception)
        {
            var last = context.Properties.GetValue(LastFailure, null);
            throw new DatabaseUnavailableException(
                FormattableString.Invariant($"{unit} was not done within {_deadline.TotalSeconds:0.###} s{(last is null ? "" : $": {FirstLine(last)}")}."), last ?? exception);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>The pauses between attempts, which are the same while a service waits for its database to start.</summary>
    internal static RetryStrategyOptions BackOff(MongoRetryOptions retry) => new()
    {
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = retry.Delay,
        MaxDelay = retry.MaxDelay,
    };

    private static string FirstLine(Exception exception) => exception.Message.Split('\n', 2)[0].TrimEnd('\r', '.');

    private CircuitBreakerStrategyOptions Breaker(MongoBreakerOptions breaker) => new()
    {
        FailureRatio = breaker.FailureRatio,
        MinimumThroughput = breaker.MinimumThroughput,
        SamplingDuration = breaker.SamplingDuration,
        BreakDuration = breaker.BreakDuration,
        StateProvider = _breaker,
        // A full pool is our own doing: the gate sees to that.
        ShouldHandle = arguments => ValueTask.FromResult(
            arguments.Outcome.Exception is { } failure && MongoErrors.IsAway(failure) && !MongoErrors.IsPoolExhausted(failure)),
        OnOpened = arguments =>
        {
            Opened(_logger, arguments.BreakDuration.TotalSeconds, arguments.Outcome.Exception is { } failure ? FirstLine(failure) : "");
            return default;
        },
        OnClosed = _ =>
        {
            Closed(_logger);
            return default;
        },
    };

    private ValueTask OnRetry(OnRetryArguments<object> arguments)
    {
        var unit = arguments.Context.OperationKey;
        var failure = arguments.Outcome.Exception!;
        arguments.Context.Properties.Set(LastFailure, failure);
        _metrics.Retries.Add(1, new KeyValuePair<string, object?>("unit", unit));
        Repeating(_logger, unit, arguments.AttemptNumber + 2, arguments.RetryDelay.TotalMilliseconds, FirstLine(failure));
        return default;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Unit}: attempt {Attempt} follows in {DelayMs:0} ms after: {Reason}")]
    private static partial void Repeating(ILogger logger, string? unit, int attempt, double delayMs, string reason);

    [LoggerMessage(2, LogLevel.Error, "MongoDB is not asked for {Seconds:0.#} s: it failed too often, last with: {Reason}")]
    private static partial void Opened(ILogger logger, double seconds, string reason);

    [LoggerMessage(3, LogLevel.Information, "MongoDB is asked again")]
    private static partial void Closed(ILogger logger);
}
