namespace Aspire.Hosting.ApplicationModel;

/// <summary>A fact about a resource.</summary>
/// <param name="Name">The name, compared with case.</param>
/// <param name="Value">A text, a number, a truth value, a list of these, or null.</param>
public sealed record ResourcePropertySnapshot(string Name, object? Value)
{
    /// <summary>Whether the value is a secret, which user interfaces mask.</summary>
    public bool IsSensitive { get; init; }
}
