using MongoDB.Driver;

namespace Platform.Data.Validation;

/// <summary>How the server enforces the rules of one collection.</summary>
/// <param name="Level">Which writes are checked.</param>
/// <param name="Action">What happens to a document that breaks a rule.</param>
public sealed record CollectionValidation(DocumentValidationLevel Level, DocumentValidationAction Action)
{
    /// <summary>Every write is checked, and refused when it breaks a rule.</summary>
    public static CollectionValidation Full { get; } = new(DocumentValidationLevel.Strict, DocumentValidationAction.Error);

    /// <summary>The level as the server names it.</summary>
    public string LevelName => Level.ToString().ToLowerInvariant();

    /// <summary>The action as the server names it.</summary>
    public string ActionName => Action.ToString().ToLowerInvariant();
}
