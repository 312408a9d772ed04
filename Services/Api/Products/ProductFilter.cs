using MongoDB.Bson;
using Platform.Data.Search;

namespace Platform.Api.Products;

/// <summary>Which products of a tenant are asked for.</summary>
/// <param name="Search">The words to find, best match first; null for all.</param>
/// <param name="Categories">Categories to look in; null for all.</param>
/// <param name="MinPrice">The least price; null for none.</param>
/// <param name="MaxPrice">The greatest price; null for none.</param>
public sealed record ProductFilter(
    SearchQuery? Search, IReadOnlyList<ObjectId>? Categories, decimal? MinPrice, decimal? MaxPrice)
{
    /// <summary>
    /// How the products are ordered: by relevance when words are searched, by price when a price is given, else the
    /// newest first. Each order has an index of its own.
    /// </summary>
    public ProductOrder Order =>
        Search is not null ? ProductOrder.BestMatch
        : MinPrice is not null || MaxPrice is not null ? ProductOrder.Cheapest
        : ProductOrder.Newest;
}
