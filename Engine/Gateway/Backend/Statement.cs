namespace Platform.Gateway.Backend;

/// <summary>A SQL text with the types of its parameters <c>$1, $2 ...</c>.</summary>
/// <param name="Sql">One statement.</param>
/// <param name="Types">The parameters' types in order.</param>
/// <param name="Prepared">Whether a connection prepares it on first use; only for what runs often.</param>
internal sealed record Statement(string Sql, IReadOnlyList<ParameterType> Types, bool Prepared = false);
