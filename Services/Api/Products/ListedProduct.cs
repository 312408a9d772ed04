using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Documents;

namespace Platform.Api.Products;

/// <summary>What a list shows of a <see cref="Product"/>, and is paged by; lists read no more than that.</summary>
public sealed record ListedProduct
{
    /// <inheritdoc cref="Product.Id"/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc cref="Product.Sku"/>
    public required string Sku { get; init; }

    /// <inheritdoc cref="Product.Name"/>
    public required string Name { get; init; }

    /// <inheritdoc cref="Product.CategoryId"/>
    public required ObjectId CategoryId { get; init; }

    /// <inheritdoc cref="Product.Price"/>
    public required decimal Price { get; init; }

    /// <inheritdoc cref="Product.Currency"/>
    public required string Currency { get; init; }

    /// <inheritdoc cref="Product.Tags"/>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <inheritdoc cref="Product.CreatedAt"/>
    public required DateTime CreatedAt { get; init; }

    /// <summary>The projection.</summary>
    internal static ProjectionDefinition<Product, ListedProduct> Fields { get; } = new BsonDocument
    {
        { "sku", 1 }, { "name", 1 }, { "categoryId", 1 }, { "price", 1 }, { "currency", 1 }, { "tags", 1 }, { "createdAt", 1 },
    };
}
