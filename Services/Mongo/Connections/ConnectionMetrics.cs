using System.Diagnostics.Metrics;

namespace Platform.Mongo.Connections;

/// <summary>The instruments of the gate, the retries and the circuit breaker, in the meter <c>Platform.Mongo</c>.</summary>
internal sealed class ConnectionMetrics
{
    private readonly Meter _meter;

    public ConnectionMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MongoMetrics.MeterName);
        Waiting = _meter.CreateUpDownCounter<long>("platform.mongo.gate.waiting", "{request}", "Requests that wait to be let in to the database.");
        Rejected = _meter.CreateCounter<long>(
            "platform.mongo.gate.rejected", "{request}", "Requests turned away, by reason: full (the queue) or late (the wait).");
        WaitDuration = _meter.CreateHistogram<double>(
            "platform.mongo.gate.wait.duration", "s", "Time that requests waited, let in or not.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
        Retries = _meter.CreateCounter<long>("platform.mongo.retries", "{attempt}", "Repetitions of units of work, by unit.");
    }

    public UpDownCounter<long> Waiting { get; }

    public Counter<long> Rejected { get; }

    public Histogram<double> WaitDuration { get; }

    public Counter<long> Retries { get; }

    public void ObserveBreaker(Func<int> state) => _meter.CreateObservableGauge(
        "platform.mongo.breaker.state", state, "{state}", "The circuit breaker: 0 closed, 1 half open, 2 open.");
}
