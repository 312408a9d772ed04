using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Api.Contracts;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Platform.Api.Reports;

/// <summary>Reports from the collections of events.</summary>
public sealed class EventReports(PlatformDatabase database, MongoResilience resilience) : IReports
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<SalesOfDay>> SalesAsync(
        ObjectId tenantId, DateOnly from, DateOnly to, ObjectId? product, ObjectId? store,
        CancellationToken cancellationToken)
    {
        var asked = EventQueries.Of(Start(from), Start(to.AddDays(1)), Value(product), Value(store));
        BsonDocument[] stages = [new("$match", asked), .. EventQueries.SalesByDay()];
        var days = await resilience.RunAsync(
            "report sales",
            Repetition.Allowed,
            async token =>
            {
                using var cursor = await database.ForTenant(tenantId).SaleEvents.AggregateAsync<BsonDocument>(
                    stages, cancellationToken: token);
                return await cursor.ToListAsync(token);
            },
            cancellationToken);
        return
        [
            .. days.Select(day => new SalesOfDay(
                DateOnly.ParseExact(day["_id"]["day"].AsString, "yyyy-MM-dd", CultureInfo.InvariantCulture),
                day["sales"].ToInt64(),
                day["quantity"].ToInt64(),
                day["total"].ToDecimal(),
                day["_id"]["currency"].AsString)),
        ];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<InventoryEvent>> StockAsync(
        ObjectId tenantId, DateOnly from, DateOnly to, ObjectId product, ObjectId store, int limit,
        CancellationToken cancellationToken) =>
        await resilience.RunAsync(
            "report stock",
            Repetition.Allowed,
            token => database.ForTenant(tenantId).InventoryEvents
                .Find(new BsonDocumentFilterDefinition<InventoryEvent>(
                    EventQueries.Of(Start(from), Start(to.AddDays(1)), product, store)))
                .Sort(new BsonDocumentSortDefinition<InventoryEvent>(EventQueries.LatestFirst))
                .Limit(limit)
                .ToListAsync(token),
            cancellationToken);

    // The driver's own conversion makes null a value, which no event has.
    private static BsonObjectId? Value(ObjectId? id) => id is { } there ? new BsonObjectId(there) : null;

    private static BsonDateTime Start(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc));
}
