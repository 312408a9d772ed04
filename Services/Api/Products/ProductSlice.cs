using MongoDB.Bson;

namespace Platform.Api.Products;

/// <summary>Part of a list of products.</summary>
/// <param name="Products">The products.</param>
/// <param name="Next">The position of the last product when more follow; else null.</param>
public sealed record ProductSlice(IReadOnlyList<ListedProduct> Products, BsonDocument? Next);
