using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Platform.Mongo.Connections;

/// <summary>
/// Runs units of work so that passing faults pass unnoticed. A unit that may be repeated is, after an error that server or
/// driver marks as passing and after a lost connection, with growing, jittered pauses, within a number of attempts and a deadline. A unit
/// that may not be repeated never is. Each attempt passes one gate, which lets in as many as the connections serve, and one circuit breaker,
/// which refuses work at once while the database is away; units do not nest. The deadline is <see cref="MongoDeadline"/>'s, too, so that the
/// server stops with us. It does not replace the driver's own retries, which it stands around. Thread-safe; one per process.
/// </summary>
public sealed partial class MongoResilience
{
    private static readonly ResiliencePropertyKey<Exception?> s_lastFailure = new("platform.last-failure");

    private readonly ResiliencePipeline _repeated;
    private readonly CircuitBreaker _breaker;
    private readonly ConcurrencyGate _gate;
    private readonly ConnectionMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeSpan _deadline;
    private readonly TimeSpan _breakDuration;
    private volatile Exception? _lastAway;

    internal MongoResilience(
        IOptions<MongoOptions> options, TimeProvider time, ConcurrencyGate gate, ConnectionMetrics metrics, ILogger<MongoResilience> logger)
    {
        _gate = gate;
        _metrics = metrics;
        _logger = logger;
        var (retry, breaker) = (options.Value.Retry, options.Value.Breaker);
        (_deadline, _breakDuration) = (retry.Deadline, breaker.BreakDuration);
        _breaker = new CircuitBreaker(breaker.FailureRatio, breaker.MinimumThroughput, breaker.SamplingDuration, breaker.BreakDuration, time);

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

        _repeated = repeated.Build();
        metrics.ObserveBreaker(() => _breaker.State switch { CircuitState.Closed => 0, CircuitState.HalfOpen => 1, _ => 2 });
    }

    /// <summary>Whether work is refused at the moment because the database is away.</summary>
    public bool IsOpen => _breaker.State == CircuitState.Open;

    /// <summary>Runs a unit of work.</summary>
    /// <typeparam name="TResult">What the work returns.</typeparam>
    /// <param name="unit">Its name, for logs and metrics; one of few, without data of the caller.</param>
    /// <param name="repetition">Whether it may be repeated; the caller has to know.</param>
    /// <param name="work">The work. It passes the token to all it calls.</param>
    /// <param name="cancellationToken">Cancels the work and the pauses.</param>
    /// <returns>What the work returned.</returns>
    /// <exception cref="DatabaseBusyException">The gate turned the work away.</exception>
    /// <exception cref="DatabaseUnavailableException">The breaker refused the work, or it was not done before the deadline.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<TResult> RunAsync<TResult>(
        string unit, Repetition repetition, Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(unit);
        ArgumentNullException.ThrowIfNull(work);
        MongoDeadline.Set(_deadline);
        if (repetition == Repetition.Refused)
        {
            return await AttemptAsync(unit, work, cancellationToken, cancellationToken);
        }

        var context = ResilienceContextPool.Shared.Get(unit, cancellationToken);
        try
        {
            return await _repeated.ExecuteAsync(
                static async (context, call) => await call.Resilience.AttemptAsync(call.Unit, call.Work, context.CancellationToken, call.Caller),
                context,
                (Resilience: this, Unit: unit, Work: work, Caller: cancellationToken));
        }
        catch (TimeoutRejectedException exception)
        {
            var last = context.Properties.GetValue(s_lastFailure, null);
            throw new DatabaseUnavailableException(
                FormattableString.Invariant($"{unit} was not done within {_deadline.TotalSeconds:0.###} s{(last is null ? "" : $": {FirstLine(last)}")}."),
                last ?? exception);
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

    // The gate and the breaker stand around this one attempt: nobody holds a place while it reads a request, asks a cache or pauses.
    private async Task<TResult> AttemptAsync<TResult>(
        string unit, Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken, CancellationToken caller)
    {
        using var pass = await _gate.EnterAsync(cancellationToken)
            ?? throw new DatabaseBusyException($"{unit}: more work wants MongoDB than its connections serve soon.");
        if (!_breaker.TryEnter(out var call, out var retryAfter))
        {
            throw new DatabaseUnavailableException($"{unit}: MongoDB failed too often just now and is not asked for a while.", _lastAway)
            {
                RetryAfter = retryAfter > TimeSpan.Zero ? retryAfter : _breakDuration,
            };
        }

        try
        {
            var result = await work(cancellationToken);
            Succeeded(call);
            return result;
        }
        catch (Exception failure)
        {
            switch (Judge(failure, caller))
            {
                case true:
                    Succeeded(call);
                    break;
                case false:
                    _lastAway = failure;
                    if (call.Fail())
                    {
                        Opened(_logger, _breakDuration.TotalSeconds, FirstLine(failure));
                    }

                    break;
                default:
                    call.Abandon();
                    break;
            }

            throw;
        }
    }

    // Whether the server is there, by what work ended with; null when that says nothing about it. A caller who gives up says nothing, but
    // work that the deadline ended had no answer. A full pool is our own doing: the gate sees to that.
    private static bool? Judge(Exception failure, CancellationToken caller) => failure switch
    {
        OperationCanceledException => caller.IsCancellationRequested ? null : false,
        _ when MongoErrors.IsPoolExhausted(failure) => null,
        _ when MongoErrors.IsAway(failure) => caller.IsCancellationRequested ? null : false,
        MongoException or { InnerException: MongoException } => true,
        _ => null,
    };

    private void Succeeded(CircuitBreaker.Call call)
    {
        if (call.Succeed())
        {
            Closed(_logger);
        }
    }

    private ValueTask OnRetry(OnRetryArguments<object> arguments)
    {
        var unit = arguments.Context.OperationKey;
        var failure = arguments.Outcome.Exception!;
        arguments.Context.Properties.Set(s_lastFailure, failure);
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
