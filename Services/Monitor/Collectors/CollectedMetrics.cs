using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Platform.Monitor.Collectors;

/// <summary>What the collectors found last, as metrics. What a collector did not find in its last round is gone: nothing old is shown.</summary>
internal sealed class CollectedMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string Name = "Platform.Monitor.Collectors";

    private readonly ConcurrentDictionary<string, IReadOnlyList<Sample>> _last = new(StringComparer.Ordinal);

    /// <summary>Creates the instruments.</summary>
    public CollectedMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        foreach (var metric in MetricCatalogue.All)
        {
            if (metric.IsCounter)
            {
                meter.CreateObservableCounter(metric.Name, () => Of(metric), metric.Unit, metric.Description);
            }
            else
            {
                meter.CreateObservableGauge(metric.Name, () => Of(metric), metric.Unit, metric.Description);
            }
        }
    }

    /// <summary>Takes the place of what a collector found before.</summary>
    public void Set(string collector, IReadOnlyList<Sample> samples) => _last[collector] = samples;

    private IEnumerable<Measurement<double>> Of(MetricDefinition metric) =>
        from samples in _last.Values
        from sample in samples
        where ReferenceEquals(sample.Metric, metric)
        select new Measurement<double>(
            sample.Value, metric.Labels.Zip(sample.Labels, (name, value) => KeyValuePair.Create(name, (object?)value)));
}
