using Platform.Data.Rules;

namespace Platform.Data.Validation;

/// <summary>A rule that a server does not enforce, or that cannot be broken there.</summary>
/// <param name="Collection">The collection; <c>*</c> for all.</param>
/// <param name="Path">The field, see <see cref="FieldRule.Path"/>; <c>*</c> for all.</param>
/// <param name="Code">The rule; <c>*</c> for all.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record RuleException(string Collection, string Path, string Code, string Reason)
{
    /// <summary>Whether this speaks of a rule.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="path">The field.</param>
    /// <param name="code">The rule.</param>
    public bool Covers(string collection, string path, string code) =>
        (Collection == "*" || Collection == collection) && (Path == "*" || Path == path) && (Code == "*" || Code == code);
}
