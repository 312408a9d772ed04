using Platform.Data.Rules;

namespace Platform.Data.Validation;

/// <summary>A document was refused because it breaks rules of its collection: by the server, or here where no server checks them.</summary>
/// <param name="collection">The collection.</param>
/// <param name="violations">What is wrong with the document; never empty.</param>
/// <param name="inner">What the driver threw; null when the document was not sent.</param>
public sealed class DocumentRefusedException(string collection, IReadOnlyList<RuleViolation> violations, Exception? inner = null)
    : Exception(
        $"A document of {collection} was refused: {string.Join(" ", violations.Select(violation => $"{violation.Pointer}: {violation.Detail}"))}", inner)
{
    /// <summary>The collection.</summary>
    public string Collection { get; } = collection;

    /// <summary>What is wrong with the document; never empty.</summary>
    public IReadOnlyList<RuleViolation> Violations { get; } = violations;
}
