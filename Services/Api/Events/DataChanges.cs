using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Api.Caching;
using Platform.Data.Tenancy;
using Platform.Mongo.Changes;

namespace Platform.Api.Events;

/// <summary>
/// What the API does when data changes, whoever changed it: another instance, <c>mongosh</c>, the seeder, a migration. The cache forgets what changed; the
/// relay hears of entries in the outbox. Where the server has no change streams, the cache hears of this API's own commits only and else waits for its
/// entries to expire, and the relay looks from time to time.
/// </summary>
internal sealed class DataChanges(
    PlatformDatabase database, ProductCache cache, OutboxRelay relay, TimeProvider time, ILoggerFactory loggers) : BackgroundService, IChangeListener
{
    // Of documents, events carry no more than what tells whose they are, and when an entry is due.
    private static readonly BsonDocument[] s_stages =
    [
        new("$match", new BsonDocument("$or", new BsonArray
        {
            new BsonDocument("ns.coll", new BsonDocument("$in", new BsonArray { CollectionNames.Products, CollectionNames.Inventory, CollectionNames.Outbox })),
            new BsonDocument("operationType", "dropDatabase"),
        })),
        new("$project", new BsonDocument
        {
            { "operationType", 1 }, { "ns", 1 }, { "documentKey", 1 }, { "fullDocument.tenantId", 1 }, { "fullDocument.productId", 1 },
            { "fullDocument.createdAt", 1 }, { "fullDocument.delivery", 1 },
        }),
    ];

    /// <inheritdoc/>
    public async Task BeganAsync(bool missed, CancellationToken cancellationToken)
    {
        // Before anything is forgotten: what is kept from here on is told of.
        cache.HearOfChanges(true);
        if (missed)
        {
            await cache.ForgetAllAsync();
        }

        relay.Follow(missed);
    }

    /// <inheritdoc/>
    public async Task ChangedAsync(IReadOnlyList<BsonDocument> events, CancellationToken cancellationToken)
    {
        var products = new HashSet<(ObjectId Tenant, ObjectId Product)>();
        var isUnknown = false;
        foreach (var change in events)
        {
            var collection = change.GetValue("ns", BsonNull.Value) is BsonDocument ns ? ns.GetValue("coll", "").AsString : "";
            var document = change.GetValue("fullDocument", BsonNull.Value) as BsonDocument;
            if (collection == CollectionNames.Outbox)
            {
                if (document is not null)
                {
                    relay.Hear(document);
                }
            }
            else if (ProductOf(collection, change, document) is { } product)
            {
                products.Add(product);
            }
            else
            {
                // Of what was deleted only the key is known, not whose it was; and a collection that was dropped took all with it.
                isUnknown |= !(change["operationType"] == "update" && document is null);
            }
        }

        if (isUnknown)
        {
            await cache.ForgetAllAsync();
            return;
        }

        foreach (var ofTenant in products.GroupBy(p => p.Tenant, p => p.Product))
        {
            await cache.InvalidateAsync(ofTenant.Key, ofTenant);
        }
    }

    /// <inheritdoc/>
    public void Ended()
    {
        cache.HearOfChanges(false);
        relay.LookForItself();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new ChangeFollower(database.Database, time, loggers.CreateLogger<ChangeFollower>())
            .FollowAsync(s_stages, ChangeStreamFullDocumentOption.UpdateLookup, this, stoppingToken);

    private static (ObjectId, ObjectId)? ProductOf(string collection, BsonDocument change, BsonDocument? document)
    {
        if (document is null || !document.TryGetValue("tenantId", out var tenant) || !tenant.IsObjectId)
        {
            return null;
        }

        var product = collection == CollectionNames.Products ? change["documentKey"]["_id"] : document.GetValue("productId", BsonNull.Value);
        return product.IsObjectId ? (tenant.AsObjectId, product.AsObjectId) : null;
    }
}
