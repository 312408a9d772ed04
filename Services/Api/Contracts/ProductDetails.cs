namespace Platform.Api.Contracts;

/// <summary>A product with its stock.</summary>
/// <param name="Id">The product's id.</param>
/// <param name="Sku">The stock-keeping unit.</param>
/// <param name="Name">The name shown to people.</param>
/// <param name="Description">What it is; plain text.</param>
/// <param name="CategoryId">The category it is filed under.</param>
/// <param name="Price">The price of one, in units of <paramref name="Currency"/>.</param>
/// <param name="Currency">An ISO 4217 code.</param>
/// <param name="Tags">Words to find it by.</param>
/// <param name="Available">Pieces that can be ordered, over all stores.</param>
/// <param name="Stock">Pieces that can be ordered, per store.</param>
/// <param name="UpdatedAt">When the product last changed (UTC).</param>
public sealed record ProductDetails(
    string Id,
    string Sku,
    string Name,
    string Description,
    string CategoryId,
    decimal Price,
    string Currency,
    IReadOnlyList<string> Tags,
    long Available,
    IReadOnlyList<StoreStock> Stock,
    DateTime UpdatedAt);
