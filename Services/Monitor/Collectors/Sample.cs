namespace Platform.Monitor.Collectors;

/// <summary>A value of a metric.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Value">The value, in the metric's unit.</param>
/// <param name="Labels">Its labels, in the order of the metric's.</param>
internal sealed record Sample(MetricDefinition Metric, double Value, params IReadOnlyList<string> Labels);
