using MongoDB.Bson;
using Platform.Api.Contracts;

namespace Platform.Api.Products;

/// <summary>The products that a tenant has on sale.</summary>
public interface IProductCatalogue
{
    /// <summary>Finds a category and all below it; empty when the tenant has no such category.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="category">The category's slug, or its id.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<ObjectId>> FindCategoriesAsync(
        ObjectId tenantId, string category, CancellationToken cancellationToken);

    /// <summary>Whether a position, read from a cursor, fits an order.</summary>
    /// <param name="order">The order.</param>
    /// <param name="position">The position.</param>
    bool IsPosition(ProductOrder order, BsonDocument position);

    /// <summary>Reads part of the list of products.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="filter">Which products.</param>
    /// <param name="after">Where to continue; null for the start.</param>
    /// <param name="limit">How many products at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<ProductSlice> ListAsync(
        ObjectId tenantId, ProductFilter filter, BsonDocument? after, int limit, CancellationToken cancellationToken);

    /// <summary>Reads a product with its stock; null when the tenant has none of this id on sale.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productId">The product.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<ProductDetails?> FindAsync(ObjectId tenantId, ObjectId productId, CancellationToken cancellationToken);
}
