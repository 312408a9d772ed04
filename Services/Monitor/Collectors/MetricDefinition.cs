namespace Platform.Monitor.Collectors;

/// <summary>A metric that collectors fill.</summary>
/// <param name="Name">Its name with dots; Prometheus sees it with underscores, the unit and, for a counter, <c>_total</c> at its end.</param>
/// <param name="Unit">The unit, as UCUM has it: <c>s</c>, <c>By</c>; null for numbers of things.</param>
/// <param name="Description">What it says.</param>
/// <param name="IsCounter">Whether it only rises, until what it counts starts anew.</param>
/// <param name="Labels">The names of its labels.</param>
internal sealed record MetricDefinition(string Name, string? Unit, string Description, bool IsCounter, params IReadOnlyList<string> Labels)
{
    /// <summary>The name that Prometheus sees. <see href="https://prometheus.io/docs/specs/otlp/"/></summary>
    public string PrometheusName =>
        Name.Replace('.', '_') + Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" } + (IsCounter ? "_total" : "");
}
