namespace Platform.Seeder.Generation;

/// <summary>A field that holds the key of a document in another collection, of the same tenant.</summary>
/// <param name="Path">The field; for documents in an array the array's name, a dot, and the field's.</param>
/// <param name="Target">The collection that the key is from.</param>
/// <param name="InArray">Whether the first part of the path is an array.</param>
internal sealed record SeedReference(string Path, string Target, bool InArray = false)
{
    public static SeedReference Tenant { get; } = new("tenantId", CollectionNames.Tenants);

    public static SeedReference Parent { get; } = new("parentId", CollectionNames.Categories);

    public static SeedReference Category { get; } = new("categoryId", CollectionNames.Categories);

    public static SeedReference Product { get; } = new("productId", CollectionNames.Products);

    public static SeedReference Store { get; } = new("storeId", CollectionNames.Stores);

    public static SeedReference Customer { get; } = new("customerId", CollectionNames.Customers);

    public static SeedReference Order { get; } = new("orderId", CollectionNames.Orders);

    public static SeedReference LineProduct { get; } = new("lines.productId", CollectionNames.Products, InArray: true);
}
