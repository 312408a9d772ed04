using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Tenancy;

namespace Platform.Data.Events;

/// <summary>
/// Brings events into their collections exactly when the change that they tell of is committed. Time series cannot be written in
/// a transaction, and keep no key unique; so the transaction writes an <see cref="OutboxEntry"/>, and the events follow it.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/timeseries/timeseries-limitations/"/></remarks>
public sealed class EventOutbox
{
    private readonly PlatformDatabase _database;
    private readonly IMongoCollection<OutboxEntry> _entries;

    /// <summary>Keeps entries in the collection <see cref="CollectionNames.Outbox"/>.</summary>
    /// <param name="database">The database.</param>
    public EventOutbox(PlatformDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        _database = database;
        _entries = database.Database.GetCollection<OutboxEntry>(CollectionNames.Outbox);
    }

    /// <summary>Writes an entry in the transaction of the change.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="session">The session with the transaction.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public Task AddAsync(OutboxEntry entry, IClientSessionHandle session, CancellationToken cancellationToken = default) =>
        _entries.InsertOneAsync(session, entry, cancellationToken: cancellationToken);

    /// <summary>Writes the events of an entry that was committed a moment ago, by who committed it, and removes the entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="cancellationToken">Cancels the write; what is left is delivered again.</param>
    public Task DeliverAsync(OutboxEntry entry, CancellationToken cancellationToken = default) => DeliverAsync(entry, again: false, cancellationToken);

    /// <summary>
    /// Writes those events of an entry that are not there yet, and removes the entry. One process at a time may do this, and not
    /// while who committed the entry may still be at it.
    /// </summary>
    /// <param name="entry">The entry.</param>
    /// <param name="cancellationToken">Cancels the write; what is left is delivered again.</param>
    public Task DeliverAgainAsync(OutboxEntry entry, CancellationToken cancellationToken = default) => DeliverAsync(entry, again: true, cancellationToken);

    /// <summary>The entries that were left behind, the oldest first.</summary>
    /// <param name="before">Only those that were written before this moment (UTC).</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<OutboxEntry>> ReadAsync(DateTime before, int limit, CancellationToken cancellationToken = default) =>
        await _entries.Find(entry => entry.CreatedAt < before).SortBy(entry => entry.CreatedAt).Limit(limit).ToListAsync(cancellationToken);

    private async Task DeliverAsync(OutboxEntry entry, bool again, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var scope = _database.ForTenant(entry.TenantId);
        await Task.WhenAll(
            WriteAsync(scope.SaleEvents, entry.Sales, sale => sale.At, again, cancellationToken),
            WriteAsync(scope.InventoryEvents, entry.Stock, change => change.At, again, cancellationToken));
        await _entries.DeleteOneAsync(written => written.Id == entry.Id, cancellationToken);
    }

    private static async Task WriteAsync<TEvent>(
        TenantCollection<TEvent> collection, IReadOnlyList<TEvent> events, Func<TEvent, DateTime> at, bool again, CancellationToken cancellationToken)
        where TEvent : class, ITenantOwned
    {
        var left = events.ToDictionary(written => written.Id);
        if (again)
        {
            foreach (var moment in events.GroupBy(at))
            {
                var there = await collection.Find(new BsonDocumentFilterDefinition<TEvent>(EventQueries.AtOnce(moment.Key))).ToListAsync(cancellationToken);
                there.ForEach(written => left.Remove(written.Id));
            }
        }

        if (left.Count > 0)
        {
            await collection.InsertManyAsync([.. events.Where(written => left.ContainsKey(written.Id))], cancellationToken: cancellationToken);
        }
    }
}
