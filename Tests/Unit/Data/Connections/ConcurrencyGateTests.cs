using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Data.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class ConcurrencyGateTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

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
        using var rejected = Counted("platform.data.gate.rejected");
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
        using var rejected = Counted("platform.data.gate.rejected");
        using var waiting = Counted("platform.data.gate.waiting");
        using var waits = new MetricCollector<double>(_services.GetRequiredService<IMeterFactory>(), "Platform.Data", "platform.data.gate.wait.duration", _time);
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
        using var rejected = Counted("platform.data.gate.rejected");
        using var inside = await gate.EnterAsync(Cancellation);
        using var cancel = new CancellationTokenSource();
        var queued = gate.EnterAsync(cancel.Token).AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        Assert.Empty(rejected.GetMeasurementSnapshot());
    }

    private ConcurrencyGate Gate(int pool, int queue)
    {
        var options = new MongoOptions { MaxPoolSize = pool };
        options.Gate.QueueLength = queue;
        return new ConcurrencyGate(Options.Create(options), _time, new ConnectionMetrics(_services.GetRequiredService<IMeterFactory>()));
    }

    private MetricCollector<long> Counted(string instrument) =>
        new(_services.GetRequiredService<IMeterFactory>(), "Platform.Data", instrument, _time);
}
