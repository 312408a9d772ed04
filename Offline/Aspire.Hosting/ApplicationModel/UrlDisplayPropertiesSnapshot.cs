namespace Aspire.Hosting.ApplicationModel;

/// <summary>How an address is shown.</summary>
/// <param name="DisplayName">The text to show; empty: the address itself.</param>
/// <param name="SortOrder">Addresses with a higher number come first.</param>
public sealed record UrlDisplayPropertiesSnapshot(string DisplayName = "", int SortOrder = 0);
