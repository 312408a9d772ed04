using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class ConcurrencyGateTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private MongoMetrics? _pools;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task As_many_as_the_pool_has_connections_are_let_in_at_once()
    {
        using var gate = Gate(pool: 2, queue: 0);

        using var first = await gate.EnterAsync(Cancellation);
        using var second = await gate.EnterAsync(Cancellation);

        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.Null(await gate.EnterAsync(Cancellation));
    }

    [Fact]
    public async Task Who_waits_is_let_in_in_turn_when_others_leave()
    {
        using var gate = Gate(pool: 1, queue: 2);
        var inside = await gate.EnterAsync(Cancellation);
        var next = gate.EnterAsync(Cancellation).AsTask();
        var last = gate.EnterAsync(Cancellation).AsTask();

        inside!.Dispose();
        using var second = await next;

        Assert.NotNull(second);
        Assert.False(last.IsCompleted);
    }

    [Fact]
    public async Task Who_waited_long_enough_is_turned_away_and_leaves_the_queue()
    {
        using var gate = Gate(pool: 1, queue: 1);
        using var rejected = Counted("platform.mongo.gate.rejected");
        using var inside = await gate.EnterAsync(Cancellation);
        var late = gate.EnterAsync(Cancellation).AsTask();

        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Null(await late);
        Assert.Equal("late", Assert.Single(rejected.GetMeasurementSnapshot()).Tags["reason"]);
        var next = gate.EnterAsync(Cancellation).AsTask();
        Assert.False(next.IsCompleted);
    }

    [Fact]
    public async Task Above_the_queue_everybody_is_turned_away_at_once_and_counted()
    {
        using var gate = Gate(pool: 1, queue: 1);
        using var rejected = Counted("platform.mongo.gate.rejected");
        using var waiting = Counted("platform.mongo.gate.waiting");
        using var waits =
            new MetricCollector<double>(_services.GetRequiredService<IMeterFactory>(), "Platform.Mongo", "platform.mongo.gate.wait.duration", _time);
        var inside = await gate.EnterAsync(Cancellation);
        var queued = gate.EnterAsync(Cancellation).AsTask();

        Assert.Null(await gate.EnterAsync(Cancellation));
        Assert.Equal("full", Assert.Single(rejected.GetMeasurementSnapshot()).Tags["reason"]);
        Assert.Equal(1, waiting.GetMeasurementSnapshot().EvaluateAsCounter());

        _time.Advance(TimeSpan.FromMilliseconds(250));
        inside!.Dispose();
        using var second = await queued;
        Assert.Equal(0, waiting.GetMeasurementSnapshot().EvaluateAsCounter());
        Assert.Equal([0, 0, 0.25], waits.GetMeasurementSnapshot().Select(wait => wait.Value));
    }

    [Fact]
    public async Task A_caller_that_goes_away_does_not_count_as_turned_away()
    {
        using var gate = Gate(pool: 1, queue: 1);
        using var rejected = Counted("platform.mongo.gate.rejected");
        using var inside = await gate.EnterAsync(Cancellation);
        using var cancel = new CancellationTokenSource();
        var queued = gate.EnterAsync(cancel.Token).AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        Assert.Empty(rejected.GetMeasurementSnapshot());
    }

    [Fact]
    public async Task Who_finds_the_open_connections_busy_waits_for_one_of_them()
    {
        using var gate = Gate(pool: 10, queue: 10);
        Open(3);
        var inside = new List<IDisposable?>();
        for (var i = 0; i < 3; i++)
        {
            inside.Add(await gate.EnterAsync(Cancellation));
        }

        var next = gate.EnterAsync(Cancellation).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(next.IsCompleted);
        inside[0]!.Dispose();

        Assert.NotNull(await next);
    }

    [Fact]
    public async Task Who_waited_long_enough_for_the_open_connections_may_have_another_opened()
    {
        using var gate = Gate(pool: 4, queue: 10);
        Open(3);
        for (var i = 0; i < 3; i++)
        {
            Assert.NotNull(await gate.EnterAsync(Cancellation));
        }

        var next = gate.EnterAsync(Cancellation).AsTask();
        var last = gate.EnterAsync(Cancellation).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.NotNull(await next);
        Assert.False(last.IsCompleted); // the pool may have four
        _time.Advance(TimeSpan.FromMilliseconds(899));
        Assert.False(last.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await last);
    }

    [Fact]
    public async Task A_flood_that_fills_the_queue_does_not_wait_for_the_open_connections()
    {
        using var gate = Gate(pool: 6, queue: 2);
        Open(3);
        var callers = Enumerable.Range(0, 9).Select(_ => gate.EnterAsync(Cancellation).AsTask()).ToList();

        // Six are in, two wait, and one is turned away.
        Assert.DoesNotContain(null, await Task.WhenAll(callers[..6]));
        Assert.False(callers[6].IsCompleted);
        Assert.False(callers[7].IsCompleted);
        Assert.Null(await callers[8]);
    }

    [Fact]
    public async Task While_no_connection_is_open_some_are_let_in_to_open_the_first()
    {
        using var gate = Gate(pool: 10, queue: 10, growing: true);

        Assert.NotNull(await gate.EnterAsync(Cancellation));
        Assert.NotNull(await gate.EnterAsync(Cancellation));
        Assert.False(gate.EnterAsync(Cancellation).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_pass_that_is_given_back_twice_counts_once()
    {
        using var gate = Gate(pool: 1, queue: 0);
        var pass = await gate.EnterAsync(Cancellation);
        pass!.Dispose();
        pass.Dispose();

        Assert.NotNull(await gate.EnterAsync(Cancellation));
        Assert.Null(await gate.EnterAsync(Cancellation));
    }

    [Fact]
    public async Task Many_threads_get_in_in_turn_and_never_more_than_permitted()
    {
        const int Permits = 4;
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var options = new MongoOptions { MaxPoolSize = Permits };
        options.Gate.QueueLength = 1000;
        options.Gate.QueueTimeout = TimeSpan.FromMinutes(1);
        options.Gate.GrowAfter = TimeSpan.FromMilliseconds(1);
        using var gate = new ConcurrencyGate(
            Options.Create(options), TimeProvider.System, new ConnectionMetrics(services.GetRequiredService<IMeterFactory>()), Pools);
        var (inside, most) = (0, 0);
        var two = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 200; i++)
                {
                    using var pass = await gate.EnterAsync(Cancellation);
                    Assert.NotNull(pass);
                    var now = Interlocked.Increment(ref inside);
                    InterlockedMax(ref most, now);
                    if (now > 1)
                    {
                        two.TrySetResult();
                    }

                    // The first stays until another is there; a quick machine would have each gone before the next comes.
                    await two.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
                    await Task.Yield();
                    Interlocked.Decrement(ref inside);
                }
            },
            Cancellation)));

        Assert.Equal(0, inside);
        Assert.InRange(most, 2, Permits);

        static void InterlockedMax(ref int most, int value)
        {
            for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            {
                Interlocked.CompareExchange(ref most, value, seen);
            }
        }
    }

    private MongoMetrics Pools => _pools ??= new MongoMetrics(_services.GetRequiredService<IMeterFactory>());

    private ConcurrencyGate Gate(int pool, int queue, bool growing = false)
    {
        var options = new MongoOptions { MaxPoolSize = pool };
        options.Gate.QueueLength = queue;
        if (!growing)
        {
            // A pool that is full grown, unless a test says otherwise.
            Open(pool);
        }

        return new ConcurrencyGate(
            Options.Create(options), _time, new ConnectionMetrics(_services.GetRequiredService<IMeterFactory>()), Pools);
    }

    private void Open(int connections)
    {
        var server = new ServerId(new ClusterId(1), new DnsEndPoint("db1", 27017));
        Pools.Open(server, 0, 100);
        for (var number = 1; number <= connections; number++)
        {
            Pools.PoolOf(server)!.Add(number);
        }
    }

    private MetricCollector<long> Counted(string instrument) =>
        new(_services.GetRequiredService<IMeterFactory>(), "Platform.Mongo", instrument, _time);
}
