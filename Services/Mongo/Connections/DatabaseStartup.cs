using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Polly;

namespace Platform.Mongo.Connections;

/// <summary>Waits for MongoDB when a service starts, with the pauses of <see cref="MongoRetryOptions"/>, and says so in the log.</summary>
public sealed partial class DatabaseStartup
{
    private readonly IMongoProbe _probe;
    private readonly MongoOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<IDatabaseCheck> _checks;
    private volatile bool _ready;

    /// <summary>Waits for one database.</summary>
    /// <param name="probe">How to reach it.</param>
    /// <param name="options">The pauses, and how long one attempt may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where the waiting is told.</param>
    /// <param name="checks">What is asked of the database once it answers; null for nothing.</param>
    public DatabaseStartup(
        IMongoProbe probe, IOptions<MongoOptions> options, TimeProvider time, ILogger<DatabaseStartup> logger, IEnumerable<IDatabaseCheck>? checks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_probe, _options, _time, _logger, _checks) = (probe, options.Value, time, logger, [.. checks ?? []]);
    }

    /// <summary>Whether the database has answered since the process started; what comes later is not the start's business.</summary>
    public bool HasAnswered => _ready;

    /// <summary>Why the program cannot work with the database that answered; null when nothing is known against it.</summary>
    public DatabaseRefusedException? Refusal { get; private set; }

    /// <summary>Pings until the server that takes writes answers.</summary>
    /// <param name="timeout">How long to try; <see cref="Timeout.InfiniteTimeSpan"/> tries for ever, also when the log-in is refused.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="DatabaseUnavailableException">Nothing answered in time, or the user name or password is wrong.</exception>
    /// <exception cref="DatabaseRefusedException">The program cannot work with the database.</exception>
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var endless = timeout == Timeout.InfiniteTimeSpan;
        var started = _time.GetTimestamp();
        string? told = null;
        var backOff = MongoResilience.BackOff(_options.Retry);
        backOff.MaxRetryAttempts = int.MaxValue;
        backOff.ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is MongoException or TimeoutException
            && (endless || !MongoErrors.IsRefusedLogin(arguments.Outcome.Exception) && _time.GetElapsedTime(started) < timeout));
        backOff.OnRetry = arguments =>
        {
            // Once for each reason: hundreds of equal lines would hide what changed.
            var reason = Reason(arguments.Outcome.Exception!);
            if (reason != told)
            {
                Waiting(_logger, Servers(), told = reason);
            }

            return default;
        };
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = _time }.AddRetry(backOff).Build();
        try
        {
            await pipeline.ExecuteAsync(
                async token =>
                {
                    await PingAsync(token);
                    foreach (var check in _checks)
                    {
                        await check.CheckAsync(token);
                    }
                },
                cancellationToken);
        }
        catch (DatabaseRefusedException exception)
        {
            Refusal = exception;
            throw;
        }
        catch (Exception exception) when (MongoErrors.IsRefusedLogin(exception))
        {
            throw new DatabaseUnavailableException(
                $"MongoDB at {Servers()} refused the user name or password of ConnectionStrings:{ResourceNames.Database}.", exception);
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            var seconds = timeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
            throw new DatabaseUnavailableException($"MongoDB at {Servers()} did not answer within {seconds} s: {Reason(exception)}", exception);
        }

        _ready = true;
        Answered(_logger, Servers(), _time.GetElapsedTime(started).TotalMilliseconds);
    }

    // One attempt is short, however long the driver would wait for a server: so the log tells early what is missing.
    private async Task PingAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.Health.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _probe.PingPrimaryAsync(either.Token);
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("No answer.", exception);
        }
    }

    private string Servers() => string.Join(", ", _probe.Cluster.Servers.Select(server => server.EndPoint switch
    {
        System.Net.DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        var other => other.ToString(),
    }));

    // The driver's own message describes its whole view of the cluster; what a person needs is why the server was not reached.
    private string Reason(Exception failure)
    {
        var seen = _probe.Cluster.Servers
            .Select(server => server.HeartbeatException?.GetBaseException().Message)
            .FirstOrDefault(message => message is not null);
        return (seen ?? (failure is TimeoutException ? "no answer" : failure.GetBaseException().Message)).ReplaceLineEndings(" ").TrimEnd('.') + ".";
    }

    [LoggerMessage(1, LogLevel.Warning, "Waiting for MongoDB at {Servers}: {Reason}")]
    private static partial void Waiting(ILogger logger, string servers, string reason);

    [LoggerMessage(2, LogLevel.Information, "MongoDB at {Servers} answered after {ElapsedMs:0} ms")]
    private static partial void Answered(ILogger logger, string servers, double elapsedMs);
}
