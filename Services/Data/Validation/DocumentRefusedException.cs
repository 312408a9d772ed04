namespace Platform.Data.Validation;

/// <summary>The server refused a document because it breaks rules of its collection.</summary>
/// <param name="collection">The collection.</param>
/// <param name="violations">What is wrong with the document; never empty.</param>
/// <param name="inner">What the driver threw.</param>
public sealed class DocumentRefusedException(string collection, IReadOnlyList<RuleViolation> violations, Exception inner)
    : Exception($"The server refused a document of {collection}: {string.Join(" ", violations.Select(violation => $"{violation.Pointer}: {violation.Detail}"))}", inner)
{
    /// <summary>The collection.</summary>
    public string Collection { get; } = collection;

    /// <summary>What is wrong with the document; never empty.</summary>
    public IReadOnlyList<RuleViolation> Violations { get; } = violations;
}
