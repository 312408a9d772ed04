using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using Platform.Data.Documents;
using Platform.Data.Rules;

namespace Platform.Data.Catalogue;

/// <summary>All collections of the platform.</summary>
/// <remarks>
/// An index's fields stand in the order equality, sort, range, and start with the tenant, since every query names one. Lists
/// are paged by key: their sort ends with <c>_id</c>, so that the last document of a page says where the next begins.
/// </remarks>
public static class CollectionCatalogue
{
    static CollectionCatalogue() => DocumentConventions.Register();

    /// <summary>The customers of the platform.</summary>
    public static CollectionDefinition<Tenant> Tenants { get; } = new()
    {
        Name = CollectionNames.Tenants,
        Description = "The customers of the platform.",
        ShardKey = new()
        {
            Keys = [],
            Reason = "Every request reads one by its slug, which is unique: a key of another field could not keep that. They are few and small, and stay "
                + "whole on one shard.",
        },
        CrossField = CrossFieldRules.History,
        Indexes =
        [
            new()
            {
                Name = "slug",
                Keys = [Up("slug")],
                Unique = true,
                Serves = "The tenant of a URL; a slug names one tenant.",
                Queries = CatalogueQueries.TenantBySlug,
            },
            new()
            {
                Name = "status_slug",
                Keys = [Up("status"), Up("slug")],
                Serves = "Tenants by status and name: few documents, but read often.",
                Queries = CatalogueQueries.TenantsActive,
            },
        ],
    };

    /// <summary>People who work for a tenant.</summary>
    public static CollectionDefinition<User> Users { get; } = new()
    {
        Name = CollectionNames.Users,
        Description = "People who work for a tenant, each with one role.",
        ShardKey = new()
        {
            Keys = [Tenant],
            LargeTenantMegabytes = 5,
            Reason = "Thousands of a tenant at most, of whom every question names the tenant: one shard answers. An address, which could part them, changes.",
        },
        CrossField = CrossFieldRules.History,
        Indexes =
        [
            new()
            {
                Name = "tenant_email",
                Keys = [Tenant, Up("email")],
                Unique = true,
                Serves = "Sign-in; an address names one user of a tenant.",
                // An address that is encrypted has a hundred bytes and more.
                BytesPerDocument = 450,
            },
        ],
    };

    /// <summary>Shops.</summary>
    public static CollectionDefinition<Store> Stores { get; } = new()
    {
        Name = CollectionNames.Stores,
        Description = "Shops of a tenant, with their place on the earth.",
        ShardKey = new()
        {
            Keys = [Tenant],
            LargeTenantMegabytes = 10,
            Reason = "Thousands of a tenant at most, of which every question names the tenant: one shard answers.",
        },
        CrossField = CrossFieldRules.History,
        Indexes =
        [
            new()
            {
                Name = "tenant_code",
                Keys = [Tenant, Up("code")],
                Unique = true,
                Serves = "A store by its code; a code names one store of a tenant.",
            },
            new()
            {
                Name = "tenant_location",
                Keys = [Tenant, new("location", IndexKind.Sphere)],
                Serves = "A tenant's stores near a point, nearest first.",
                Queries = CatalogueQueries.StoresNear,
                Variants = new Dictionary<ServerKind, IndexVariant>
                {
                    [ServerKind.DocumentDb] = new(
                        "location",
                        [new("location", IndexKind.Sphere)],
                        "DocumentDB has no compound 2dsphere index; the nearest stores of all tenants are read, and the tenant is checked on them."),
                },
            },
        ],
        KeyQueries = CatalogueQueries.ByKey(CollectionNames.Stores, "An order that is placed, for its store."),
    };

    /// <summary>The trees that products are filed under.</summary>
    public static CollectionDefinition<Category> Categories { get; } = new()
    {
        Name = CollectionNames.Categories,
        Description = "The tree that a tenant's products are filed under.",
        ShardKey = new()
        {
            Keys = [Tenant],
            LargeTenantMegabytes = 3,
            Reason = "A tenant's tree is small and read whole, from one shard.",
        },
        CrossField = CrossFieldRules.Category,
        Indexes =
        [
            new()
            {
                Name = "tenant_slug",
                Keys = [Tenant, Up("slug")],
                Unique = true,
                Serves = "The category of a URL; a slug names one category of a tenant.",
                Queries = CatalogueQueries.CategoryBySlug,
            },
            new()
            {
                Name = "tenant_parent",
                Keys = [Tenant, Up("parentId"), Up("position")],
                Serves = "The children of a category, in order.",
                Queries = CatalogueQueries.CategoryChildren,
            },
        ],
        KeyQueries = CatalogueQueries.ByKey(CollectionNames.Categories, "A list of products by the category's key in the URL."),
    };

    /// <summary>What is sold.</summary>
    public static CollectionDefinition<Product> Products { get; } = new()
    {
        Name = CollectionNames.Products,
        Description = "What a tenant sells.",
        ShardKey = new()
        {
            Keys = [Tenant, Up("sku")],
            LargeTenantMegabytes = 2_000,
            Reason = "A large tenant's products part between two SKUs. An SKU names one product of a tenant and stays; the unique index is the key's own.",
        },
        CrossField = CrossFieldRules.Product,
        Indexes =
        [
            new()
            {
                Name = "tenant_sku",
                Keys = [Tenant, Up("sku")],
                Unique = true,
                Serves = "A product by its SKU; an SKU names one product of a tenant.",
            },
            new()
            {
                Name = "active_words",
                Keys = [Tenant, Up("searchWords")],
                PartialFilter = ActiveProducts(),
                Serves = "Search by words among a tenant's products on sale.",
                Queries = CatalogueQueries.ProductSearch,
                IsCostly = true,
                BytesPerDocument = 400,
            },
            new()
            {
                Name = "active_newest",
                Keys = [Tenant, Down("createdAt"), Down("_id")],
                PartialFilter = ActiveProducts(),
                Serves = "Products on sale, newest first, paged; what is not on sale takes no room in it.",
                Queries = CatalogueQueries.ProductsNewest,
            },
            new()
            {
                Name = "active_category_newest",
                Keys = [Tenant, Up("categoryId"), Down("createdAt"), Down("_id")],
                PartialFilter = ActiveProducts(),
                Serves = "Products on sale in a category, newest first, paged.",
                Queries = CatalogueQueries.ProductsOfCategory,
            },
            new()
            {
                Name = "active_price",
                Keys = [Tenant, Up("price"), Up("_id")],
                PartialFilter = ActiveProducts(),
                Serves = "Products on sale in a price range, cheapest first, paged.",
                Queries = CatalogueQueries.ProductsByPrice,
            },
        ],
        KeyQueries = CatalogueQueries.ProductsByKey,
    };

    /// <summary>Stock per product and store.</summary>
    public static CollectionDefinition<InventoryItem> Inventory { get; } = new()
    {
        Name = CollectionNames.Inventory,
        Description = "The stock of a product in a store.",
        ShardKey = new()
        {
            Keys = [Tenant, Up("productId")],
            LargeTenantMegabytes = 3_000,
            IsMostlyUpdated = true,
            Reason = "A large tenant's stock parts between two products; what all stores have of one is together. The unique index begins with it.",
        },
        CrossField = CrossFieldRules.Inventory,
        Indexes =
        [
            new()
            {
                Name = "tenant_product_store",
                Keys = [Tenant, Up("productId"), Up("storeId")],
                Unique = true,
                Serves = "Where a product is in stock; one document per product and store.",
                Queries = CatalogueQueries.StockOfProduct,
            },
        ],
    };

    /// <summary>People who buy.</summary>
    public static CollectionDefinition<Customer> Customers { get; } = new()
    {
        Name = CollectionNames.Customers,
        Description = "People who buy from a tenant.",
        ShardKey = new()
        {
            Keys = [Tenant],
            LargeTenantMegabytes = 5_000,
            Reason = "An address, which alone could part them beside the unique index, changes and is personal: boundaries of ranges would show it. Ten "
                + "million are 5 GB, which one shard has room for.",
        },
        CrossField = CrossFieldRules.History,
        Indexes =
        [
            new()
            {
                Name = "tenant_email",
                Keys = [Tenant, Up("email")],
                Unique = true,
                Serves = "A customer by address; an address names one customer of a tenant.",
                // An address that is encrypted has a hundred bytes and more.
                BytesPerDocument = 450,
            },
        ],
        KeyQueries = CatalogueQueries.ByKey(CollectionNames.Customers, "An order that is placed, for its customer."),
    };

    /// <summary>What was bought.</summary>
    public static CollectionDefinition<Order> Orders { get; } = new()
    {
        Name = CollectionNames.Orders,
        Description = "What customers bought, as it was when they bought it.",
        ShardKey = new()
        {
            Keys = [Tenant, new("number", IndexKind.Hashed)],
            LargeTenantMegabytes = 100_000,
            Reason = "A large tenant's orders part evenly: numbers count up with time, so that plain ranges would send all new orders to one shard. A number "
                + "names one order and stays.",
        },
        CrossField = CrossFieldRules.Order,
        Indexes =
        [
            new()
            {
                Name = "tenant_number",
                Keys = [Tenant, Up("number")],
                Unique = true,
                Serves = "An order by its number; a number names one order of a tenant.",
            },
        ],
        KeyQueries = CatalogueQueries.ByKey(CollectionNames.Orders, "The API's page of one order, and an order that is placed twice."),
    };

    /// <summary>What is sold, over time.</summary>
    public static CollectionDefinition<SaleEvent> SaleEvents { get; } = new()
    {
        Name = CollectionNames.SaleEvents,
        Description = "What is sold, line by line, as measurements over time; the older ones expire.",
        ShardKey = new()
        {
            Keys = [Tenant],
            LargeTenantMegabytes = 5_000,
            IsZoned = false,
            Reason = "A time series is sharded by its source, or by its time, which MongoDB 8.0 deprecates. Buckets are small and expire; should a tenant "
                + "need it, \"at\" can be added without moving anything.",
        },
        CrossField = CrossFieldRules.Sale,
        TimeSeries = new()
        {
            TimeField = "at", MetaField = "tenantId", Granularity = "minutes", ExpireAfter = TimeSpan.FromDays(730), Queries = CatalogueQueries.SalesOfPeriod,
        },
        Indexes =
        [
            new()
            {
                Name = "tenant_product_at",
                Keys = [Tenant, Up("productId"), Down("at")],
                Serves = "Sales of a product over a period.",
                Queries = CatalogueQueries.SalesOfProduct,
            },
            new()
            {
                Name = "tenant_store_at",
                Keys = [Tenant, Up("storeId"), Down("at")],
                Serves = "Sales of a store over a period.",
                Queries = CatalogueQueries.SalesOfStore,
            },
        ],
    };

    /// <summary>How stock changes, over time.</summary>
    public static CollectionDefinition<InventoryEvent> InventoryEvents { get; } = new()
    {
        Name = CollectionNames.InventoryEvents,
        Description = "How the stock of a product in a store changes, as measurements over time; the older ones expire.",
        ShardKey = new()
        {
            Keys = [Tenant],
            LargeTenantMegabytes = 5_000,
            IsZoned = false,
            Reason = "As saleEvents.",
        },
        TimeSeries = new()
        {
            TimeField = "at", MetaField = "tenantId", Granularity = "minutes", ExpireAfter = TimeSpan.FromDays(400),
            Queries = CatalogueQueries.StockEventsOfPeriod,
        },
        Indexes =
        [
            new()
            {
                Name = "tenant_product_store_sequence",
                Keys = [Tenant, Up("productId"), Up("storeId"), Down("sequence"), Down("at")],
                Serves = "The history of a product's stock in a store, in the order of the commits.",
                Queries = CatalogueQueries.StockEventsOfProduct,
            },
        ],
    };

    /// <summary>Events that were committed and are not in their collections yet.</summary>
    public static CollectionDefinition<OutboxEntry> Outbox { get; } = new()
    {
        Name = CollectionNames.Outbox,
        Description = "Events that were committed with an order and are not in their collections yet, one document for each order.",
        IsBookkeeping = true,
        ShardKey = Whole("Entries stay for milliseconds, so that there are few; the relay looks through those of all tenants."),
        Indexes =
        [
            new()
            {
                Name = "created",
                Keys = [Up("createdAt")],
                Serves = "Entries that were left behind, the oldest first; one alone, since every order writes to it twice.",
                Queries = CatalogueQueries.OutboxByDate,
            },
        ],
    };

    /// <summary>Who may work alone right now.</summary>
    public static CollectionDefinition<BsonDocument> Leases { get; } =
        Bookkeeping(CollectionNames.Leases, "Who may work alone right now, one document for each kind of work; read and changed by key.");

    /// <summary>What was done to the structure of the database.</summary>
    public static CollectionDefinition<BsonDocument> Migrations { get; } =
        Bookkeeping(CollectionNames.Migrations, "What was done to the structure of the database, one document for each migration; read as a whole.");

    /// <summary>Indexes that are hidden before they are dropped.</summary>
    public static CollectionDefinition<BsonDocument> HiddenIndexes { get; } =
        Bookkeeping(CollectionNames.HiddenIndexes, "Indexes that are hidden before they are dropped, one document for each; read as a whole.");

    /// <summary>The keys that personal data of each tenant is encrypted with.</summary>
    public static CollectionDefinition<BsonDocument> KeyVault { get; } = new()
    {
        Name = CollectionNames.KeyVault,
        Description = "The keys that personal data of each tenant is encrypted with, themselves encrypted with the master key; one document for each tenant.",
        IsBookkeeping = true,
        ShardKey = Whole("One small document for each tenant, which a program reads once a minute; whole, so that a name is unique."),
        Indexes =
        [
            new()
            {
                Name = "alt_names",
                Keys = [Up("keyAltNames")],
                Unique = true,
                PartialFilter = new BsonDocument("keyAltNames", new BsonDocument("$exists", true)),
                Serves = "The key of a tenant by its name; a name names one key, whoever makes it first.",
            },
        ],
    };

    /// <summary>What the seeder wrote.</summary>
    public static CollectionDefinition<BsonDocument> SeedMarker { get; } = Bookkeeping(CollectionNames.SeedMarker, "What the seeder wrote, one document.");

    /// <summary>What the database is for.</summary>
    public static CollectionDefinition<BsonDocument> Environment { get; } = Bookkeeping(CollectionNames.Environment, "What the database is for, one document.");

    /// <summary>The collections of the domain, referenced ones before those that refer to them.</summary>
    public static IReadOnlyList<CollectionDefinition> Domain { get; } =
        [Tenants, Users, Stores, Categories, Products, Inventory, Customers, Orders, SaleEvents, InventoryEvents];

    /// <summary>All collections: those of <see cref="Domain"/>, and those in which the platform's programs keep notes of their own.</summary>
    public static IReadOnlyList<CollectionDefinition> All { get; } = [.. Domain, Outbox, Leases, Migrations, HiddenIndexes, KeyVault, SeedMarker, Environment];

    /// <summary>
    /// A SHA-256 over everything declared here that a database keeps: names, indexes, validators, options. Changes when, and only
    /// when, a database made for another version would have to change.
    /// </summary>
    /// <returns>64 hexadecimal digits in lower case.</returns>
    public static string Checksum()
    {
        var all = new BsonDocument(All.Select(collection => new BsonElement(collection.Name, new BsonDocument
        {
            { "indexes", new BsonArray(collection.Indexes.SelectMany(Specifications)) },
            { "validator", collection.Validator },
            { "options", collection.Options() },
        })));
        var text = all.ToJson(new JsonWriterSettings { OutputMode = JsonOutputMode.CanonicalExtendedJson });
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

        static IEnumerable<BsonDocument> Specifications(IndexDefinition index) =>
            index.Variants.Keys.Order().Select(index.On).Prepend(index).Select(each => each.Specification());
    }

    private static CollectionDefinition<BsonDocument> Bookkeeping(string name, string description) => new()
    {
        Name = name, Description = description, IsBookkeeping = true, Indexes = [], ShardKey = Whole("A few documents."),
    };

    private static ShardKey Whole(string reason) => new() { Keys = [], Reason = reason };

    private static IndexKey Tenant => new("tenantId");

    private static IndexKey Up(string field) => new(field);

    private static IndexKey Down(string field) => new(field, IndexKind.Descending);

    private static BsonDocument ActiveProducts() => new("status", DocumentConventions.Stored(ProductStatus.Active));
}
