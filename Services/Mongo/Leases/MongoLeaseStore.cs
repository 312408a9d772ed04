using System.Collections.Concurrent;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Mongo.Leases;

/// <summary>Keeps leases in a collection, one document each; time is the server's.</summary>
public sealed class MongoLeaseStore : ILeaseStore
{
    private readonly IMongoCollection<BsonDocument> _leases;
    private readonly ConcurrentDictionary<string, bool> _made = new(StringComparer.Ordinal);

    /// <summary>Keeps leases in the collection <see cref="CollectionNames.Leases"/>.</summary>
    /// <param name="database">The database.</param>
    public MongoLeaseStore(IMongoDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        _leases = database.GetCollection<BsonDocument>(CollectionNames.Leases).ForDecisions();
    }

    /// <inheritdoc/>
    public async Task<LeaseState> TryAcquireAsync(
        string name, string owner, string holder, TimeSpan duration, CancellationToken cancellationToken)
    {
        var update = AcquireUpdate(owner, holder, duration);
        var options = new FindOneAndUpdateOptions<BsonDocument> { ReturnDocument = ReturnDocument.After };
        while (true)
        {
            if (!_made.ContainsKey(name))
            {
                await MakeAsync(name, cancellationToken);
                _made[name] = true;
            }

            if (await _leases.FindOneAndUpdateAsync(Takeable(name, owner), update, options, cancellationToken) is { } document)
            {
                return ToState(document);
            }

            if (await _leases.Find(ById(name)).FirstOrDefaultAsync(cancellationToken) is { } held)
            {
                return ToState(held);
            }

            _made.TryRemove(name, out _); // somebody deleted it
        }
    }

    /// <inheritdoc/>
    public async Task<bool> RenewAsync(string name, string owner, long fence, TimeSpan duration, CancellationToken cancellationToken)
    {
        var update = Pipeline(new BsonDocument("$set", new BsonDocument("expiresAt", Expiry(duration))));
        var result = await _leases.UpdateOneAsync(Held(name, owner, fence), update, cancellationToken: cancellationToken);
        return result.MatchedCount == 1;
    }

    /// <inheritdoc/>
    public async Task<bool> ReleaseAsync(string name, string owner, long fence, CancellationToken cancellationToken)
    {
        var update = Builders<BsonDocument>.Update.Unset("owner").Unset("expiresAt").CurrentDate("releasedAt");
        var result = await _leases.UpdateOneAsync(Held(name, owner, fence), update, cancellationToken: cancellationToken);
        return result.MatchedCount == 1;
    }

    /// <inheritdoc/>
    public async Task<LeaseState?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        var document = await _leases.Find(ById(name)).FirstOrDefaultAsync(cancellationToken);
        if (document is null || ToState(document) is not { Owner: { } owner } state)
        {
            return document is null ? null : ToState(document);
        }

        // Only the server knows what time it is there.
        var notOver = Held(name, owner, state.Fence).Add("$expr", Operator("$gt", "$expiresAt", "$$NOW"));
        return state with { IsHeld = await _leases.Find(notOver).AnyAsync(cancellationToken) };
    }

    // Made apart from being taken, and not by an upsert: upserts that meet on a document that does not exist yet must end as
    // one insert and updates of it, and the DocumentDB engine lets each of them insert over the others. It also refuses $$NOW while
    // the collection does not exist.
    private async Task MakeAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await _leases.InsertOneAsync(new BsonDocument { { "_id", name }, { "fence", 0L } }, options: null, cancellationToken);
        }
        catch (MongoWriteException exception) when (exception.WriteError.Category == ServerErrorCategory.DuplicateKey)
        {
            // Somebody made it before.
        }
    }

    // One $set stage: all its expressions see the document as it was before, so they agree on whether the lease is free.
    private static UpdateDefinition<BsonDocument> AcquireUpdate(string owner, string holder, TimeSpan duration)
    {
        var currentOwner = IfNull("$owner", BsonNull.Value);
        var mine = Operator("$eq", currentOwner, owner);
        var free = Operator("$or", Operator("$eq", currentOwner, BsonNull.Value), Operator("$lte", "$expiresAt", "$$NOW"));
        var fence = IfNull("$fence", 0L);
        return Pipeline(new BsonDocument("$set", new BsonDocument
        {
            { "fence", Condition(mine, fence, Condition(free, Operator("$add", fence, 1L), fence)) },
            { "holder", Condition(mine, "$holder", Condition(free, Literal(holder), "$holder")) },
            { "acquiredAt", Condition(mine, "$acquiredAt", Condition(free, "$$NOW", "$acquiredAt")) },
            { "expiresAt", Condition(Operator("$or", mine, free), Expiry(duration), "$expiresAt") },
            { "owner", Condition(free, owner, "$owner") },
        }));
    }

    private static FilterDefinition<BsonDocument> ById(string name) => Builders<BsonDocument>.Filter.Eq("_id", name);

    // Only spares the server work: many that wait would queue for the document's lock, and the holder's heartbeat among them. The update
    // itself decides.
    private static FilterDefinition<BsonDocument> Takeable(string name, string owner) => new BsonDocument
    {
        { "_id", name },
        {
            "$or", new BsonArray
            {
                new BsonDocument("owner", BsonNull.Value),
                new BsonDocument("owner", owner),
                new BsonDocument("$expr", Operator("$lte", "$expiresAt", "$$NOW")),
            }
        },
    };

    private static BsonDocument Held(string name, string owner, long fence) =>
        new BsonDocument { { "_id", name }, { "owner", owner }, { "fence", fence } };

    private static UpdateDefinition<BsonDocument> Pipeline(BsonDocument stage) =>
        new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>([stage]);

    private static BsonDocument Expiry(TimeSpan duration) => Operator("$add", "$$NOW", (long)duration.TotalMilliseconds);

    private static BsonDocument Literal(string value) => new("$literal", value);

    private static BsonDocument IfNull(BsonValue value, BsonValue other) => Operator("$ifNull", value, other);

    private static BsonDocument Condition(BsonValue test, BsonValue then, BsonValue otherwise) => Operator("$cond", test, then, otherwise);

    private static BsonDocument Operator(string name, params BsonValue[] arguments) => new(name, new BsonArray(arguments));

    private static LeaseState ToState(BsonDocument document) => new(
        document["_id"].AsString,
        document.GetValue("owner", BsonNull.Value) is BsonString owner ? owner.Value : null,
        document.GetValue("holder", BsonNull.Value) is BsonString holder ? holder.Value : null,
        document["fence"].ToInt64(),
        document.GetValue("expiresAt", BsonNull.Value) is BsonDateTime expiry ? expiry.ToUniversalTime() : null,
        IsHeld: document.GetValue("owner", BsonNull.Value).IsString);
}
