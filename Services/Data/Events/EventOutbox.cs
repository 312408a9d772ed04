using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Mongo.Connections;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Tenancy;
using Platform.Data.Validation;

namespace Platform.Data.Events;

/// <summary>
/// Brings events into their collections exactly when the change that they tell of is committed. Time series cannot be written in
/// a transaction, and keep no key unique; so the transaction writes an <see cref="OutboxEntry"/>, and the events follow it.
/// </summary>
/// <remarks>
/// What becomes of an entry that is left behind stands in the entry, in the member <c>delivery</c>, which nothing else is part of: the fencing
/// number of who is at it, the number of attempts, when the next may begin, why the last failed, and when it was set aside.
/// <see href="https://www.mongodb.com/docs/manual/core/timeseries/timeseries-limitations/"/>
/// </remarks>
public sealed class EventOutbox
{
    /// <summary>
    /// The form of entries that this program can read; to be raised with it. What a program of an older form set aside, one of a newer
    /// form takes up.
    /// </summary>
    public const int Form = 1;

    private const string Fence = $"{OutboxQueries.Delivery}.fence";
    private const string Attempts = $"{OutboxQueries.Delivery}.attempts";
    private const string Error = $"{OutboxQueries.Delivery}.error";
    private const int MaxErrorLength = 500;

    private readonly PlatformDatabase _database;
    private readonly IMongoCollection<OutboxEntry> _entries;

    // As they are, and as a majority has them: what is decided here must not be taken back.
    private readonly IMongoCollection<BsonDocument> _stored;

    /// <summary>Keeps entries in the collection <see cref="CollectionNames.Outbox"/>.</summary>
    /// <param name="database">The database.</param>
    public EventOutbox(PlatformDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        _database = database;
        _entries = database.Database.GetCollection<OutboxEntry>(CollectionNames.Outbox);
        _stored = database.Database.GetCollection<BsonDocument>(CollectionNames.Outbox).ForDecisions();
    }

    /// <summary>Writes an entry in the transaction of the change.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="session">The session with the transaction.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public Task AddAsync(OutboxEntry entry, IClientSessionHandle session, CancellationToken cancellationToken = default) =>
        _entries.InsertOneAsync(session, entry, cancellationToken: cancellationToken);

    /// <summary>Writes the events of entries that were committed a moment ago, by who committed them, and removes the entries.</summary>
    /// <param name="entries">The entries, of any tenants.</param>
    /// <param name="cancellationToken">Cancels the write; what is left is delivered again.</param>
    public async Task DeliverAsync(IReadOnlyCollection<OutboxEntry> entries, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        foreach (var ofTenant in entries.GroupBy(entry => entry.TenantId))
        {
            await WriteAsync(ofTenant.Key, [.. ofTenant], again: false, cancellationToken);
            await _stored.DeleteManyAsync(
                new BsonDocument("_id", new BsonDocument("$in", new BsonArray(ofTenant.Select(entry => entry.Id)))), cancellationToken);
        }
    }

    /// <summary>The tenants that have entries which were left behind and whose turn has come; null stands for entries without one.</summary>
    /// <param name="before">Only entries that were written before this moment (UTC).</param>
    /// <param name="now">The moment of the turn (UTC).</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<BsonValue>> TenantsAsync(DateTime before, DateTime now, CancellationToken cancellationToken = default)
    {
        using var tenants = await _stored.DistinctAsync<BsonValue>("tenantId", Due(before, now), cancellationToken: cancellationToken);
        var named = await tenants.ToListAsync(cancellationToken);
        // A distinct of a missing field yields nothing.
        var unnamed = await _stored.Find(Due(before, now).Add("tenantId", BsonNull.Value))
            .Sort(OutboxQueries.OldestFirst)
            .Limit(1)
            .AnyAsync(cancellationToken);
        return unnamed && !named.Contains(BsonNull.Value) ? [.. named, BsonNull.Value] : named;
    }

    /// <summary>The entries of a tenant that were left behind and whose turn has come, the oldest first.</summary>
    /// <param name="tenant">The tenant, as <see cref="TenantsAsync"/> gave it.</param>
    /// <param name="before">Only entries that were written before this moment (UTC).</param>
    /// <param name="now">The moment of the turn (UTC).</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<OutboxLeft>> ReadAsync(
        BsonValue tenant, DateTime before, DateTime now, int limit, CancellationToken cancellationToken = default)
    {
        var found = await _stored.Find(Due(before, now).Add("tenantId", tenant))
            .Sort(OutboxQueries.OldestFirst)
            .Limit(limit)
            .ToListAsync(cancellationToken);
        return [.. found.Select(Read)];
    }

    /// <summary>
    /// Takes an entry for one attempt, which counts from here on, whatever becomes of who makes it. Refused when the entry is gone, or
    /// was taken by a holder of the lease that came later.
    /// </summary>
    /// <param name="left">The entry.</param>
    /// <param name="fence">The fencing number of the lease.</param>
    /// <param name="next">When the next attempt may begin (UTC), unless this one succeeds.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public async Task<bool> ClaimAsync(OutboxLeft left, long fence, DateTime next, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(left);
        var claim = new BsonDocument("$set", new BsonDocument
        {
            { Fence, fence }, { OutboxQueries.FormOfReader, Form }, { Attempts, left.Attempts + 1 }, { OutboxQueries.NextAttemptAt, next },
        });
        var result = await _stored.UpdateOneAsync(NotBeyond(left.Id, fence), claim, cancellationToken: cancellationToken);
        return result.MatchedCount == 1;
    }

    /// <summary>Writes down why an attempt failed, and whether it was the last.</summary>
    /// <param name="left">The entry, claimed.</param>
    /// <param name="fence">The fencing number of the lease.</param>
    /// <param name="error">Why.</param>
    /// <param name="setAside">When the entry was set aside (UTC); null when it is tried again.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public Task FailAsync(OutboxLeft left, long fence, string error, DateTime? setAside, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(error);
        var set = new BsonDocument(Error, error[..Math.Min(error.Length, MaxErrorLength)]);
        if (setAside is { } at)
        {
            set.Add(OutboxQueries.SetAsideAt, at);
        }

        return _stored.UpdateOneAsync(NotBeyond(left.Id, fence), new BsonDocument("$set", set), cancellationToken: cancellationToken);
    }

    /// <summary>
    /// Writes those events of an entry that are not there yet, and removes the entry. The lease keeps others from doing so at once, and its
    /// fencing number a holder who wakes up late from removing what another is at; events keep their keys, by which
    /// one that is there is known.
    /// </summary>
    /// <param name="entry">The entry, claimed.</param>
    /// <param name="fence">The fencing number of the lease.</param>
    /// <param name="cancellationToken">Cancels the write; what is left is delivered again.</param>
    /// <exception cref="EventConflictException">Another event has the key of one of these.</exception>
    /// <exception cref="DocumentRefusedException">An event breaks a rule of its collection.</exception>
    public async Task DeliverAgainAsync(OutboxEntry entry, long fence, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        await WriteAsync(entry.TenantId, [entry], again: true, cancellationToken);
        await _stored.DeleteOneAsync(NotBeyond(entry.Id, fence), cancellationToken);
    }

    /// <summary>When the next of the entries that are there is due (UTC); null when there is none.</summary>
    /// <param name="age">The age from which an entry counts as left behind.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<DateTime?> NextDueAsync(TimeSpan age, CancellationToken cancellationToken = default)
    {
        // There are few, if any: those of orders that are being placed, and those that failed.
        using var entries = await _stored.Find(OutboxQueries.Waiting())
            .Project(new BsonDocument { { "createdAt", 1 }, { OutboxQueries.Delivery, 1 } })
            .Sort(OutboxQueries.OldestFirst)
            .Limit(OutboxQueries.MostWaiting)
            .ToCursorAsync(cancellationToken);
        DateTime? next = null;
        await entries.ForEachAsync(
            entry => next = DueOf(entry, age) is { } due && !(next <= due) ? due : next,
            cancellationToken);
        return next;
    }

    /// <summary>When an entry is due (UTC) unless it is gone by then; null when it was set aside, or does not say when it was written.</summary>
    /// <param name="entry">Its members <c>createdAt</c> and <c>delivery</c>.</param>
    /// <param name="age">The age from which an entry counts as left behind.</param>
    public static DateTime? DueOf(BsonDocument entry, TimeSpan age)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!entry.TryGetValue("createdAt", out var at) || !at.IsValidDateTime)
        {
            return null;
        }

        var written = at.ToUniversalTime() + age;
        if (!entry.TryGetValue(OutboxQueries.Delivery, out var value) || value is not BsonDocument delivery)
        {
            return written;
        }

        if (delivery.Contains("setAsideAt"))
        {
            return null;
        }

        return delivery.TryGetValue("nextAttemptAt", out var next) && next.IsValidDateTime && next.ToUniversalTime() > written
            ? next.ToUniversalTime()
            : written;
    }

    private static BsonDocument Due(DateTime before, DateTime now) => OutboxQueries.Due(before, now, Form);

    private static BsonDocument NotBeyond(BsonValue id, long fence) =>
        new() { { "_id", id }, { Fence, new BsonDocument("$not", new BsonDocument("$gt", fence)) } };

    private static OutboxLeft Read(BsonDocument stored)
    {
        var (id, attempts) = (stored["_id"], 0);
        if (stored.TryGetValue(OutboxQueries.Delivery, out var delivery) && delivery is BsonDocument state)
        {
            attempts = state.TryGetValue("attempts", out var count) && count.IsInt32 ? count.AsInt32 : 0;
            stored.Remove(OutboxQueries.Delivery);
        }

        try
        {
            var entry = BsonSerializer.Deserialize<OutboxEntry>(stored);
            // What a newer version added would be lost with the entry.
            return entry.ToBsonDocument() == stored
                ? new OutboxLeft(id, attempts, entry, null)
                : new OutboxLeft(id, attempts, null, new FormatException("It has members that this version does not know."));
        }
#pragma warning disable CA1031 // Whatever a stranger's bytes make of the deserializer, the entry cannot be read and the others can.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new OutboxLeft(id, attempts, null, exception);
        }
    }

    private Task WriteAsync(ObjectId tenant, IReadOnlyList<OutboxEntry> entries, bool again, CancellationToken cancellationToken)
    {
        var scope = _database.ForTenant(tenant);
        SaleEvent[] sales = [.. entries.SelectMany(entry => entry.Sales)];
        InventoryEvent[] stock = [.. entries.SelectMany(entry => entry.Stock)];
        return Task.WhenAll(
            WriteAsync(scope.SaleEvents, CollectionNames.SaleEvents, sales, sale => sale.At, again, cancellationToken),
            WriteAsync(scope.InventoryEvents, CollectionNames.InventoryEvents, stock, change => change.At, again, cancellationToken));
    }

    private static async Task WriteAsync<TEvent>(
        TenantCollection<TEvent> collection,
        string name,
        IReadOnlyList<TEvent> events,
        Func<TEvent, DateTime> at,
        bool again,
        CancellationToken cancellationToken)
        where TEvent : class, ITenantOwned
    {
        var left = events.ToDictionary(written => written.Id);
        if (again)
        {
            // A time series has no index that leads to a key, but one that leads to a moment.
            foreach (var moment in events.GroupBy(at))
            {
                await LeaveOutAsync(new BsonDocumentFilterDefinition<TEvent>(EventQueries.AtOnce(moment.Key)));
            }
        }

        while (left.Count > 0)
        {
            try
            {
                await collection.InsertManyAsync([.. events.Where(written => left.ContainsKey(written.Id))], cancellationToken: cancellationToken);
                return;
            }
            catch (DuplicateKeyException)
            {
                // Some were written before, or are being written by another. Where keys are unique, an index leads to them.
                if (!await LeaveOutAsync(Builders<TEvent>.Filter.In(written => written.Id, left.Keys)))
                {
                    throw;
                }
            }
        }

        async Task<bool> LeaveOutAsync(FilterDefinition<TEvent> which)
        {
            var any = false;
            foreach (var there in await collection.Deciding.Find(which).ToListAsync(cancellationToken))
            {
                if (left.TryGetValue(there.Id, out var same))
                {
                    any = !same.Equals(there) ? throw new EventConflictException(name, there.Id) : left.Remove(there.Id);
                }
            }

            return any;
        }
    }
}
