namespace Platform.Mongo.Connections;

/// <summary>A metric: what it is called, and what its page says of it.</summary>
/// <param name="Name">The instrument's name.</param>
/// <param name="Kind">The kind of instrument, in OpenTelemetry's words.</param>
/// <param name="Unit">The unit, in UCUM.</param>
/// <param name="Attributes">The attributes of its measurements.</param>
/// <param name="Description">One sentence without its full stop.</param>
internal sealed record MetricDefinition(string Name, string Kind, string Unit, IReadOnlyList<string> Attributes, string Description);
