namespace Platform.Api.Contracts;

/// <summary>One page of products.</summary>
/// <param name="Items">The products, at most as many as the limit.</param>
/// <param name="NextCursor">Asks for the page after this one; null on the last page.</param>
public sealed record ProductPage(IReadOnlyList<ProductSummary> Items, string? NextCursor);
