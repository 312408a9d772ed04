using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Tenancy;
using Platform.Mongo.Changes;

namespace Platform.Api.Events;

/// <summary>
/// What the API does when data changes, whoever changed it: another instance, <c>mongosh</c>, the seeder, a migration. The cache forgets what changed; the
/// relay hears of entries in the outbox. Where the server has no change streams, the cache hears of this API's own commits only and else waits for its
/// entries to expire, and the relay looks from time to time.
/// </summary>
internal sealed class DataChanges(
    PlatformDatabase database, DataCaches caches, OutboxRelay relay, TimeProvider time, ILoggerFactory loggers) : BackgroundService, IChangeListener
{
    private static readonly string[] s_collections = [.. ChangedNames.Collections, CollectionNames.Outbox];

    // Without the event that ends a stream. Of documents, events carry no more than what tells whose they are, and when an entry is due.
    private static readonly BsonDocument[] s_stages =
    [
        new("$match", new BsonDocument("operationType", new BsonDocument("$ne", "invalidate"))),
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
        caches.HearOfChanges(true);
        if (missed)
        {
            await caches.InvalidateAsync([CacheKeys.Everything]);
        }

        relay.Follow(missed);
    }

    /// <inheritdoc/>
    public async Task ChangedAsync(IReadOnlyList<BsonDocument> events, CancellationToken cancellationToken)
    {
        var names = new ChangedNames();
        foreach (var change in events)
        {
            if (change.GetValue("ns", BsonNull.Value) is BsonDocument ns && ns.GetValue("coll", "") == CollectionNames.Outbox)
            {
                if (change.GetValue("fullDocument", BsonNull.Value) is BsonDocument entry)
                {
                    relay.Hear(entry);
                }
            }
            else
            {
                names.Add(change);
            }
        }

        await caches.InvalidateAsync(names.All);
    }

    /// <inheritdoc/>
    public void Ended()
    {
        caches.HearOfChanges(false);
        relay.LookForItself();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new ChangeFollower(database.Database, time, loggers.CreateLogger<ChangeFollower>())
            .FollowAsync(s_collections, s_stages, ChangeStreamFullDocumentOption.UpdateLookup, this, stoppingToken);
}
