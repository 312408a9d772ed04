using OpenTelemetry.Trace;

namespace Platform.ServiceDefaults;

/// <summary>
/// Records every trace while there are few, and under load so many a second: whoever tries something out sees all of it, and nobody reads thousands of traces a
/// second, whose recording would cost more than the requests. Metrics count all requests whatever becomes of their traces. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class TraceRateSampler(TimeProvider time) : Sampler
{
    private readonly Lock _lock = new();
    private double _left = Burst;
    private long _since = time.GetTimestamp();

    /// <summary>How many traces a second are recorded in the long run.</summary>
    public static double PerSecond => 50;

    /// <summary>How many are recorded at once after a rest.</summary>
    public static double Burst => 500;

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _left = Math.Min(Burst, _left + (time.GetElapsedTime(_since, now).TotalSeconds * PerSecond));
            _since = now;
            if (_left < 1)
            {
                return new SamplingResult(SamplingDecision.Drop);
            }

            _left--;
            return new SamplingResult(SamplingDecision.RecordAndSample);
        }
    }
}
