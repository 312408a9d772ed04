using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;

namespace Platform.Data.Tenancy;

/// <summary>The database as one tenant sees it.</summary>
public sealed class TenantScope
{
    internal TenantScope(IMongoDatabase database, ObjectId tenantId)
    {
        TenantId = tenantId;
        Users = Collection(CollectionCatalogue.Users);
        Stores = Collection(CollectionCatalogue.Stores);
        Categories = Collection(CollectionCatalogue.Categories);
        Products = Collection(CollectionCatalogue.Products);
        Inventory = Collection(CollectionCatalogue.Inventory);
        Customers = Collection(CollectionCatalogue.Customers);
        Orders = Collection(CollectionCatalogue.Orders);
        SaleEvents = Collection(CollectionCatalogue.SaleEvents);
        InventoryEvents = Collection(CollectionCatalogue.InventoryEvents);

        TenantCollection<TDocument> Collection<TDocument>(CollectionDefinition<TDocument> definition)
            where TDocument : class, ITenantOwned =>
            new(database.GetCollection<TDocument>(definition.Name), definition, tenantId);
    }

    /// <summary>The tenant.</summary>
    public ObjectId TenantId { get; }

    /// <summary>The tenant's people.</summary>
    public TenantCollection<User> Users { get; }

    /// <summary>The tenant's shops.</summary>
    public TenantCollection<Store> Stores { get; }

    /// <summary>The tenant's category tree.</summary>
    public TenantCollection<Category> Categories { get; }

    /// <summary>What the tenant sells.</summary>
    public TenantCollection<Product> Products { get; }

    /// <summary>The tenant's stock.</summary>
    public TenantCollection<InventoryItem> Inventory { get; }

    /// <summary>Who buys from the tenant.</summary>
    public TenantCollection<Customer> Customers { get; }

    /// <summary>What was bought from the tenant.</summary>
    public TenantCollection<Order> Orders { get; }

    /// <summary>What the tenant sells, over time.</summary>
    public TenantCollection<SaleEvent> SaleEvents { get; }

    /// <summary>How the tenant's stock changes, over time.</summary>
    public TenantCollection<InventoryEvent> InventoryEvents { get; }
}
