namespace Platform.Caching.Catalogue;

/// <summary>Everything that is cached. <c>docs/caching.md</c> is made from it.</summary>
public static class CacheCatalogue
{
    /// <summary>A tenant, by the slug that paths name it by; every request looks one up.</summary>
    public static CacheDefinition Tenants { get; } = new()
    {
        Kind = "tenants",
        Holds = "an active tenant",
        Id = "the slug",
        IsTenantOwned = false,
        TimeToLive = TimeSpan.FromSeconds(30),
        LocalLife = TimeSpan.FromSeconds(30),
        TrustsTime = true,
        OneLoader = false,
        ChangedBy = "`tenants`",
        IsWarmed = true,
    };

    /// <summary>A product on sale with its stock.</summary>
    public static CacheDefinition Products { get; } = new()
    {
        Kind = "products",
        Holds = "a product on sale with its stock",
        Id = "the product's",
        TimeToLive = TimeSpan.FromMinutes(5),
        ChangedBy = "`products`, `inventory`, and every order",
    };

    /// <summary>The first page of a list of products.</summary>
    public static CacheDefinition ProductLists { get; } = new()
    {
        Kind = "product-lists",
        Holds = "the first page of a list or search of products",
        Id = "a hash of the other parameters",
        Tag = "category",
        TimeToLive = TimeSpan.FromSeconds(60),
        LocalEntries = 2_000,
        ChangedBy = "`products`, `categories`",
        IsWarmed = true,
    };

    /// <summary>A category and all below it.</summary>
    public static CacheDefinition Categories { get; } = new()
    {
        Kind = "categories",
        Holds = "the ids of a category and of all below it",
        Id = "its slug or id",
        TimeToLive = TimeSpan.FromMinutes(10),
        LocalEntries = 5_000,
        ChangedBy = "`categories`",
    };

    /// <summary>The stores near a place.</summary>
    public static CacheDefinition Stores { get; } = new()
    {
        Kind = "stores",
        Holds = "the open stores near a place",
        Id = "longitude, latitude and kilometres",
        TimeToLive = TimeSpan.FromMinutes(5),
        LocalEntries = 2_000,
        ChangedBy = "`stores`",
    };

    /// <summary>A report of sales or of stock.</summary>
    public static CacheDefinition Reports { get; } = new()
    {
        Kind = "reports",
        Holds = "a report of sales or of stock",
        Id = "the report and its other parameters",
        Tag = "store",
        TimeToLive = TimeSpan.FromSeconds(10),
        LocalLife = TimeSpan.FromSeconds(10),
        TrustsTime = true,
        LocalEntries = 1_000,
        ChangedBy = "time alone: an order of the last ten seconds may be missing",
        CacheControl = "private, max-age=10",
    };

    /// <summary>All of them, in the order of the documentation.</summary>
    public static IReadOnlyList<CacheDefinition> All { get; } = [Tenants, Products, ProductLists, Categories, Stores, Reports];

    /// <summary>Finds one; null when there is none of this name.</summary>
    /// <param name="kind">Its name.</param>
    public static CacheDefinition? Find(string kind) => All.FirstOrDefault(definition => definition.Kind == kind);
}
