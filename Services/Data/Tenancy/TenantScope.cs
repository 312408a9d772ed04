using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;

namespace Platform.Data.Tenancy;

/// <summary>The database as one tenant sees it.</summary>
public sealed class TenantScope
{
    private readonly IMongoDatabase _database;

    internal TenantScope(IMongoDatabase database, ObjectId tenantId)
    {
        _database = database;
        TenantId = tenantId;
    }

    /// <summary>The tenant.</summary>
    public ObjectId TenantId { get; }

    /// <summary>The tenant's people.</summary>
    public TenantCollection<User> Users => field ??= Collection(CollectionCatalogue.Users);

    /// <summary>The tenant's shops.</summary>
    public TenantCollection<Store> Stores => field ??= Collection(CollectionCatalogue.Stores);

    /// <summary>The tenant's category tree.</summary>
    public TenantCollection<Category> Categories => field ??= Collection(CollectionCatalogue.Categories);

    /// <summary>What the tenant sells.</summary>
    public TenantCollection<Product> Products => field ??= Collection(CollectionCatalogue.Products);

    /// <summary>The tenant's stock.</summary>
    public TenantCollection<InventoryItem> Inventory => field ??= Collection(CollectionCatalogue.Inventory);

    /// <summary>Who buys from the tenant.</summary>
    public TenantCollection<Customer> Customers => field ??= Collection(CollectionCatalogue.Customers);

    /// <summary>What was bought from the tenant.</summary>
    public TenantCollection<Order> Orders => field ??= Collection(CollectionCatalogue.Orders);

    /// <summary>What the tenant sells, over time.</summary>
    public TenantCollection<SaleEvent> SaleEvents => field ??= Collection(CollectionCatalogue.SaleEvents);

    /// <summary>How the tenant's stock changes, over time.</summary>
    public TenantCollection<InventoryEvent> InventoryEvents => field ??= Collection(CollectionCatalogue.InventoryEvents);

    // Made when they are asked for: a request wants two or three of them.
    private TenantCollection<TDocument> Collection<TDocument>(CollectionDefinition<TDocument> definition)
        where TDocument : class, ITenantOwned =>
        new(_database.GetCollection<TDocument>(definition.Name), definition, TenantId);
}
