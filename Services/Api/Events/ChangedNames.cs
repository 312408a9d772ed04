using MongoDB.Bson;
using Platform.Caching.Catalogue;

namespace Platform.Api.Events;

/// <summary>What the caches must forget when documents have changed: the names of entries where they are known, of scopes where they are not.</summary>
internal sealed class ChangedNames
{
    // Beyond this many products of a tenant, all of its products are forgotten: an import is told in one name.
    private const int MaxProducts = 500;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _productsOf = new(StringComparer.Ordinal);

    /// <summary>The collections whose documents are cached.</summary>
    public static IReadOnlyList<string> Collections { get; } =
        [CollectionNames.Products, CollectionNames.Inventory, CollectionNames.Categories, CollectionNames.Stores, CollectionNames.Tenants];

    /// <summary>The names.</summary>
    public IReadOnlyCollection<string> All => _names;

    /// <summary>Adds what an event of the change stream is about.</summary>
    /// <param name="change">The event, of one of <see cref="Collections"/> or of a whole database.</param>
    public void Add(BsonDocument change)
    {
        var collection = change.GetValue("ns", BsonNull.Value) is BsonDocument ns ? ns.GetValue("coll", "").AsString : "";
        var document = change.GetValue("fullDocument", BsonNull.Value) as BsonDocument;
        switch (change["operationType"].AsString)
        {
            case "update" or "replace" when document is null:
                // It was deleted since, which is told next.
                return;
            case "insert" or "update" or "replace" or "delete":
                Add(collection, change, document);
                return;
            default:
                // A collection that was dropped or renamed took all with it.
                _names.Add(CacheKeys.Everything);
                return;
        }
    }

    // Of what was deleted only the key is known, not whose it was.
    private void Add(string collection, BsonDocument change, BsonDocument? document)
    {
        var tenant = document?.GetValue("tenantId", BsonNull.Value) is BsonObjectId owner ? owner.Value.ToString() : null;
        switch (collection)
        {
            case CollectionNames.Products:
                AddProduct(tenant, change["documentKey"]["_id"]);
                AddKind(tenant, CacheCatalogue.ProductLists);
                break;
            case CollectionNames.Inventory:
                AddProduct(tenant, document?.GetValue("productId", BsonNull.Value) ?? BsonNull.Value);
                break;
            case CollectionNames.Categories:
                AddKind(tenant, CacheCatalogue.Categories);
                AddKind(tenant, CacheCatalogue.ProductLists);
                break;
            case CollectionNames.Stores:
                AddKind(tenant, CacheCatalogue.Stores);
                break;
            case CollectionNames.Tenants:
                // The entry is named by a slug, which may be what has changed.
                _names.Add(CacheKeys.OfKind(CacheCatalogue.Tenants));
                break;
            default:
                _names.Add(CacheKeys.Everything);
                break;
        }
    }

    private void AddProduct(string? tenant, BsonValue product)
    {
        if (tenant is null || !product.IsObjectId)
        {
            _names.Add(CacheKeys.OfKind(CacheCatalogue.Products));
        }
        else if ((_productsOf[tenant] = _productsOf.GetValueOrDefault(tenant) + 1) > MaxProducts)
        {
            _names.Add(CacheKeys.OfTenant(tenant, CacheCatalogue.Products));
        }
        else
        {
            _names.Add(CacheKeys.Product(tenant, product.AsObjectId.ToString()).Text);
        }
    }

    private void AddKind(string? tenant, CacheDefinition cache) =>
        _names.Add(tenant is null ? CacheKeys.OfKind(cache) : CacheKeys.OfTenant(tenant, cache));
}
