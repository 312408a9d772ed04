namespace Aspire.Hosting.ApplicationModel;

/// <summary>An environment variable of a resource.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value.</param>
/// <param name="IsFromSpec">Whether the graph set it; false: inherited.</param>
public sealed record EnvironmentVariableSnapshot(string Name, string? Value, bool IsFromSpec);
