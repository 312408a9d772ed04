using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class DatabaseStartupTests
{
    private readonly FakeMongoProbe _mongo = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Lines _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Waits_with_pauses_until_the_database_answers_and_says_each_reason_once()
    {
        _mongo.Ping = _ => _mongo.Pings < 8 ? throw new TimeoutException("selecting") : Task.CompletedTask;
        var startup = Startup();

        var waiting = startup.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.False(startup.HasAnswered);
        await DriveAsync(waiting);

        Assert.True(startup.HasAnswered);
        Assert.Equal(8, _mongo.Pings);
        Assert.Equal("Waiting for MongoDB at db1:27017, db2:27017, db3:27017: no answer.", _log.Written[0]);
        Assert.StartsWith("MongoDB at db1:27017, db2:27017, db3:27017 answered after ", _log.Written[1], StringComparison.Ordinal);
        Assert.Equal(2, _log.Written.Count);
    }

    [Fact]
    public async Task Gives_up_after_the_time_it_was_given()
    {
        _mongo.Ping = _ => throw new TimeoutException("selecting");

        var thrown = await Assert.ThrowsAsync<DatabaseUnavailableException>(
            () => DriveAsync(Startup().WaitAsync(TimeSpan.FromSeconds(5), Cancellation)));

        Assert.Equal("MongoDB at db1:27017, db2:27017, db3:27017 did not answer within 5 s: no answer.", thrown.Message);
    }

    [Fact]
    public async Task An_attempt_that_hangs_is_followed_by_another()
    {
        _mongo.Ping = token => _mongo.Pings == 1 ? Task.Delay(Timeout.InfiniteTimeSpan, token) : Task.CompletedTask;

        await DriveAsync(Startup().WaitAsync(TimeSpan.FromMinutes(1), Cancellation));

        Assert.Equal(2, _mongo.Pings);
    }

    [Fact]
    public async Task A_refused_password_ends_the_wait_of_a_job_at_once_and_never_that_of_a_service()
    {
        _mongo.Ping = _ => _mongo.Pings < 3
            ? throw new MongoAuthenticationException(new ConnectionId(new ServerId(new ClusterId(), new DnsEndPoint("db1", 27017))), "no")
            : Task.CompletedTask;

        var thrown = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => Startup().WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        Assert.EndsWith("refused the user name or password of ConnectionStrings:platform.", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(1, _mongo.Pings);

        var service = Startup();
        await DriveAsync(service.WaitAsync(Timeout.InfiniteTimeSpan, Cancellation));
        Assert.True(service.HasAnswered);
    }

    private DatabaseStartup Startup() => new(_mongo, Options.Create(new MongoOptions()), _time, _log);

    private async Task DriveAsync(Task work)
    {
        while (!work.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            // The work goes on on other threads, which must get their turn between two steps of the clock.
            await Task.Delay(1, Cancellation);
        }

        await work;
    }

    private sealed class Lines : ILogger<DatabaseStartup>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));
    }
}
