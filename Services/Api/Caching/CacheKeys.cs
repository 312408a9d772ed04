using MongoDB.Bson;

namespace Platform.Api.Caching;

/// <summary>
/// The names of entries in Redis: <c>platform:v1:{tenant id}:{kind}:{id}</c>. The tenant comes first, so that no id can
/// reach another tenant's entry and a tenant's entries can be found; the version changes when the form of an entry
/// does.
/// </summary>
public static class CacheKeys
{
    private const string Prefix = "platform:v1";

    /// <summary>A pattern of the names of everything that is kept of products.</summary>
    public static string AllProducts => $"{Prefix}:*:product*";

    /// <summary>A product with its stock, as JSON.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productId">The product.</param>
    public static string Product(ObjectId tenantId, ObjectId productId) => $"{Prefix}:{tenantId}:product:{productId}";

    /// <summary>
    /// A number that is another after each change of a product, so that what was read before a change is not stored
    /// after it.
    /// </summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productId">The product.</param>
    public static string ProductChanges(ObjectId tenantId, ObjectId productId) =>
        $"{Prefix}:{tenantId}:product-changes:{productId}";
}
