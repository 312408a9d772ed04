namespace Aspire.Hosting.ApplicationModel;

/// <summary>The state of a resource.</summary>
/// <param name="Text">One of <see cref="KnownResourceStates"/>, or any other text.</param>
/// <param name="Style">One of <see cref="KnownResourceStateStyles"/>; null: the style that fits the text.</param>
public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    /// <summary>A state without a style; null for no or an empty text.</summary>
    public static implicit operator ResourceStateSnapshot?(string? s) => string.IsNullOrEmpty(s) ? null : new(s, Style: null);
}
