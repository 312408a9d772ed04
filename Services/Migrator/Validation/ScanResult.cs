namespace Platform.Migrator.Validation;

/// <summary>What a scan of one collection found.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Documents">How many documents were read.</param>
/// <param name="Violating">How many of them break rules.</param>
/// <param name="Violations">How many rules they break together.</param>
/// <param name="ByRule">How often each rule is broken, by field and code: <c>lines[].total lineTotal</c>.</param>
public sealed record ScanResult(string Collection, long Documents, long Violating, long Violations, IReadOnlyDictionary<string, long> ByRule);
