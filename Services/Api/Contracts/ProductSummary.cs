namespace Platform.Api.Contracts;

/// <summary>A product in a list.</summary>
/// <param name="Id">The product's id.</param>
/// <param name="Sku">The stock-keeping unit.</param>
/// <param name="Name">The name shown to people.</param>
/// <param name="CategoryId">The category it is filed under.</param>
/// <param name="Price">The price of one, in units of <paramref name="Currency"/>.</param>
/// <param name="Currency">An ISO 4217 code.</param>
/// <param name="Tags">Words to find it by.</param>
public sealed record ProductSummary(
    string Id, string Sku, string Name, string CategoryId, decimal Price, string Currency, IReadOnlyList<string> Tags);
