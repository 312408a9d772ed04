using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class MongoResilienceTests : IDisposable
{
    private static readonly ConnectionId Connection = new(new ServerId(new ClusterId(), new DnsEndPoint("db1", 27017)));

    private readonly FakeTimeProvider _time = new() { AutoAdvanceAmount = TimeSpan.Zero };
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MongoOptions _options = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool, bool> Errors => new()
    {
        { "connection lost", true, true },
        { "pool cleared", true, true },
        { "not primary", true, true },
        { "labelled conflict", true, false },
        { "unknown commit", true, false },
        { "selection timed out", false, true },
        { "pool exhausted", false, true },
        { "log-in refused", false, true },
        { "duplicate key", false, false },
        { "syntax", false, false },
        { "defect", false, false },
    };

    public void Dispose() => _services.Dispose();

    [Theory]
    [MemberData(nameof(Errors))]
    public void Only_labelled_errors_and_lost_connections_are_worth_a_repetition(string error, bool transient, bool away)
    {
        Assert.Equal(transient, MongoErrors.IsTransient(Error(error)));
        Assert.Equal(away, MongoErrors.IsAway(Error(error)));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task Work_that_must_not_be_repeated_never_is(string error, bool transient, bool away)
    {
        Assert.True(transient || away || error.Length > 0);
        var runs = 0;

        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => Resilience().RunAsync<int>("pay", Repetition.Refused, Fail, Cancellation));

        Assert.Equal(Error(error).GetType(), thrown.GetType());
        Assert.Equal(1, runs);

        Task<int> Fail(CancellationToken cancellationToken)
        {
            runs++;
            throw Error(error);
        }
    }

    [Theory]
    [InlineData("connection lost")]
    [InlineData("labelled conflict")]
    public async Task Work_that_may_be_repeated_is_until_it_succeeds(string error)
    {
        var runs = 0;

        var result = await DriveAsync(Resilience().RunAsync(
            "read", Repetition.Allowed, _ => ++runs < 3 ? throw Error(error) : Task.FromResult(42), Cancellation));

        Assert.Equal(42, result);
        Assert.Equal(3, runs);
    }

    [Fact]
    public async Task Repetition_ends_with_the_last_attempt_and_its_error()
    {
        var runs = 0;

        await Assert.ThrowsAsync<MongoConnectionException>(() => DriveAsync(Resilience().RunAsync<int>("read", Repetition.Allowed, Fail, Cancellation)));

        Assert.Equal(_options.Retry.Attempts, runs);

        Task<int> Fail(CancellationToken cancellationToken)
        {
            runs++;
            throw Error("connection lost");
        }
    }

    [Fact]
    public async Task An_error_that_would_come_again_is_not_repeated()
    {
        var runs = 0;

        await Assert.ThrowsAsync<MongoCommandException>(() => Resilience().RunAsync<int>("read", Repetition.Allowed, Fail, Cancellation));

        Assert.Equal(1, runs);

        Task<int> Fail(CancellationToken cancellationToken)
        {
            runs++;
            throw Error("syntax");
        }
    }

    [Fact]
    public async Task The_deadline_cancels_work_and_repetitions_and_tells_the_last_error()
    {
        _options.Retry.Attempts = 100;
        var runs = 0;
        var started = _time.GetTimestamp();

        var thrown = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => DriveAsync(Resilience().RunAsync<int>(
            "read", Repetition.Allowed, _ => ++runs > 0 ? throw Error("labelled conflict") : Task.FromResult(0), Cancellation)));

        Assert.Equal("read was not done within 10 s: Command ping failed: conflict.", thrown.Message);
        Assert.InRange(runs, 5, 99);
        Assert.True(_time.GetElapsedTime(started) >= _options.Retry.Deadline);
    }

    [Fact]
    public async Task The_breaker_refuses_work_at_once_after_failures_and_lets_it_in_again()
    {
        var resilience = Resilience();
        for (var i = 0; i < _options.Breaker.MinimumThroughput; i++)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => resilience.RunAsync<int>(
                "write", Repetition.Refused, _ => throw Error("selection timed out"), Cancellation));
        }

        Assert.True(resilience.IsOpen);
        var runs = 0;
        var refused = await Assert.ThrowsAsync<DatabaseUnavailableException>(
            () => resilience.RunAsync("read", Repetition.Allowed, _ => Task.FromResult(++runs), Cancellation));
        Assert.Equal(0, runs);
        Assert.NotNull(refused.RetryAfter);
        Assert.True(MongoErrors.IsAway(refused));

        _time.Advance(_options.Breaker.BreakDuration);
        Assert.Equal(1, await resilience.RunAsync("read", Repetition.Allowed, _ => Task.FromResult(++runs), Cancellation));
        Assert.False(resilience.IsOpen);
    }

    [Theory]
    [InlineData("duplicate key")]
    [InlineData("labelled conflict")]
    [InlineData("pool exhausted")]
    [InlineData("defect")]
    public async Task Errors_of_a_server_that_is_there_leave_the_breaker_closed(string error)
    {
        var resilience = Resilience();
        for (var i = 0; i < 3 * _options.Breaker.MinimumThroughput; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => resilience.RunAsync<int>("write", Repetition.Refused, _ => throw Error(error), Cancellation));
        }

        Assert.False(resilience.IsOpen);
    }

    [Theory]
    [InlineData(Repetition.Allowed)]
    [InlineData(Repetition.Refused)]
    public async Task Callers_who_give_up_do_not_hide_a_database_that_is_away(Repetition repetition)
    {
        var resilience = Resilience();
        for (var i = 0; i < 200; i++)
        {
            await GiveUpAsync(resilience, repetition);
        }

        Assert.False(resilience.IsOpen);
        for (var i = 0; i < 67; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => FailAsync(resilience));
        }

        Assert.True(resilience.IsOpen);
    }

    [Fact]
    public async Task The_one_that_tries_whether_the_database_is_back_and_gives_up_lets_the_next_one_try()
    {
        var resilience = await OpenAsync();
        _time.Advance(_options.Breaker.BreakDuration);

        await GiveUpAsync(resilience, Repetition.Allowed);
        Assert.True(resilience.IsOpen);
        await Assert.ThrowsAsync<TimeoutException>(() => FailAsync(resilience));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => FailAsync(resilience));

        _time.Advance(_options.Breaker.BreakDuration);
        await GiveUpAsync(resilience, Repetition.Refused);
        Assert.Equal(1, await resilience.RunAsync("read", Repetition.Allowed, _ => Task.FromResult(1), Cancellation));
        Assert.False(resilience.IsOpen);
    }

    [Fact]
    public async Task One_at_a_time_tries_whether_the_database_is_back_and_is_not_waited_for_without_end()
    {
        var resilience = await OpenAsync();
        _time.Advance(_options.Breaker.BreakDuration);
        var answer = new TaskCompletionSource<int>();
        var first = resilience.RunAsync("read", Repetition.Refused, _ => answer.Task, Cancellation);

        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => FailAsync(resilience));
        _time.Advance(_options.Breaker.BreakDuration);
        await Assert.ThrowsAsync<TimeoutException>(() => FailAsync(resilience));
        // Too old to say anything about now.
        answer.SetResult(1);
        await first;

        Assert.True(resilience.IsOpen);
    }

    [Fact]
    public async Task Work_that_the_deadline_ends_had_no_answer()
    {
        (_options.Breaker.MinimumThroughput, _options.Retry.Deadline) = (2, TimeSpan.FromSeconds(1));
        var resilience = Resilience();
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<DatabaseUnavailableException>(() => DriveAsync(resilience.RunAsync(
                "read",
                Repetition.Allowed,
                async token =>
                {
                    await Task.Delay(Timeout.Infinite, token);
                    return 0;
                },
                Cancellation)));
        }

        Assert.True(resilience.IsOpen);
    }

    [Fact]
    public async Task A_place_in_the_gate_is_held_by_attempts_and_not_by_pauses()
    {
        (_options.Gate.Permits, _options.Gate.QueueLength) = (1, 0);
        var resilience = Resilience(out var gate);
        var runs = 0;
        var first = resilience.RunAsync(
            "read", Repetition.Allowed, _ => ++runs == 1 ? throw Error("labelled conflict") : Task.FromResult(1), Cancellation);
        // It pauses now.
        Assert.Equal(2, await resilience.RunAsync("read", Repetition.Refused, _ => Task.FromResult(2), Cancellation));
        Assert.Equal(1, await DriveAsync(first));

        using (await gate.EnterAsync(Cancellation))
        {
            await Assert.ThrowsAsync<DatabaseBusyException>(() => resilience.RunAsync("read", Repetition.Allowed, _ => Task.FromResult(2), Cancellation));
        }

        Assert.False(resilience.IsOpen);
    }

    [Fact]
    public async Task Cancelling_ends_the_pause_between_attempts()
    {
        using var cancel = new CancellationTokenSource();
        var running = Resilience().RunAsync<int>("read", Repetition.Allowed, _ => throw Error("connection lost"), cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static Exception Error(string name)
    {
        switch (name)
        {
            case "connection lost":
                return new MongoConnectionException(Connection, "db1 hung up.", new IOException("reset"));
            case "pool cleared":
                return new MongoConnectionPoolPausedException("The pool is paused.");
            case "not primary":
                return new MongoNotPrimaryException(Connection, new BsonDocument(), new BsonDocument("code", 10107));
            case "labelled conflict":
                var conflict = new MongoCommandException(Connection, "Command ping failed: conflict.", new BsonDocument(), new BsonDocument("code", 112));
                conflict.AddErrorLabel("TransientTransactionError");
                return conflict;
            case "unknown commit":
                var commit = new MongoCommandException(Connection, "commit failed", new BsonDocument(), new BsonDocument("code", 50));
                commit.AddErrorLabel("UnknownTransactionCommitResult");
                return commit;
            case "selection timed out":
                return new TimeoutException("A timeout occurred after 3000ms selecting a server.");
            case "pool exhausted":
                return new TimeoutException("Timed out waiting for a connection after 5000ms.");
            case "log-in refused":
                return new MongoAuthenticationException(Connection, "Unable to authenticate.");
            case "duplicate key":
                return new MongoCommandException(Connection, "E11000", new BsonDocument(), new BsonDocument("code", 11000));
            case "syntax":
                return new MongoCommandException(Connection, "unknown operator", new BsonDocument(), new BsonDocument("code", 2));
            default:
                return new InvalidOperationException("a defect");
        }
    }

    private MongoResilience Resilience() => Resilience(out _);

    private MongoResilience Resilience(out ConcurrencyGate gate)
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        var (options, metrics) = (Options.Create(_options), new ConnectionMetrics(meters));
        gate = new ConcurrencyGate(options, _time, metrics, new MongoMetrics(meters));
        return new MongoResilience(options, _time, gate, metrics, NullLogger<MongoResilience>.Instance);
    }

    private async Task<MongoResilience> OpenAsync()
    {
        var resilience = Resilience();
        for (var i = 0; i < _options.Breaker.MinimumThroughput; i++)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => FailAsync(resilience));
        }

        Assert.True(resilience.IsOpen);
        return resilience;
    }

    private static Task<int> FailAsync(MongoResilience resilience) =>
        resilience.RunAsync<int>("write", Repetition.Refused, _ => throw Error("selection timed out"), Cancellation);

    private static async Task GiveUpAsync(MongoResilience resilience, Repetition repetition)
    {
        using var caller = new CancellationTokenSource();
        var running = resilience.RunAsync(
            "read",
            repetition,
            async token =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return 0;
            },
            caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    // Lets the clock run while the work pauses.
    private async Task<TResult> DriveAsync<TResult>(Task<TResult> work)
    {
        while (!work.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            // The work goes on on other threads, which must get their turn between two steps of the clock.
            await Task.Delay(1, Cancellation);
        }

        return await work;
    }
}
