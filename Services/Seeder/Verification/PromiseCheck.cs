using System.Collections.Concurrent;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Verification;

/// <summary>
/// Checks in the database what seeded data promises beyond each of its documents: that stock, orders and events agree, and that there is something to
/// try every path of the API with. Reads what the seeder wrote, store by store, and makes nothing again.
/// </summary>
internal sealed class PromiseCheck(IMongoDatabase database, int workers)
{
    private const int MostExamples = 5;

    /// <summary>Checks all promises that the collections which were seeded make.</summary>
    /// <param name="parts">The collections.</param>
    /// <param name="size">What they were made from.</param>
    /// <param name="left">Which tenants are not there.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<IReadOnlyList<SeedPromise>> CheckAsync(
        IReadOnlyList<SeedCollection> parts, SeedSize size, Func<int, bool> left, CancellationToken cancellationToken)
    {
        var known = parts.ToDictionary(part => part.Kind);
        var tenants = Enumerable.Range(0, size.Tenants).Where(tenant => !left(tenant)).ToList();
        var promises = new List<SeedPromise>();
        if (tenants.Contains(SeedGenerator.SuspendedTenant))
        {
            await PromiseAsync([SeedKind.Tenant], "A tenant is suspended.", [SeedGenerator.SuspendedTenant], async (tenant, token) =>
                await AnyAsync(known[SeedKind.Tenant], new("_id", SeedGenerator.TenantId(tenant)), Status(TenantStatus.Suspended), token)
                    ? [] : [$"the tenant {TenantProfile.For(tenant).Slug} is not"]);
        }

        await PromiseAsync([SeedKind.Store], "Every tenant has open stores and closed ones.", tenants, async (tenant, token) =>
        [
            .. await AnyAsync(known[SeedKind.Store], Of(tenant), Status(StoreStatus.Open), token) ? Array.Empty<string>() : [Lacks(tenant, "an open store")],
            .. await AnyAsync(known[SeedKind.Store], Of(tenant), Status(StoreStatus.Closed), token) ? Array.Empty<string>() : [Lacks(tenant, "a closed store")],
        ]);
        await PromiseAsync([SeedKind.Inventory], "Every tenant has products that are sold out.", tenants, async (tenant, token) =>
            await AnyAsync(
                known[SeedKind.Inventory], Of(tenant), new("$expr", new BsonDocument("$eq", new BsonArray { "$onHand", "$reserved" })), token)
                ? [] : [Lacks(tenant, "a product that is sold out")]);

        var stores = tenants.SelectMany(tenant => Enumerable.Range(0, size.Stores).Select(store => (tenant * size.Stores) + store)).ToList();
        await PromiseAsync(
            [SeedKind.Inventory, SeedKind.Order], "What is reserved are the pieces of pending and paid orders.", stores,
            async (store, token) => Compare(await StockAsync(store, token), await HeldAsync(store, token)));
        await PromiseAsync(
            [SeedKind.Order, SeedKind.SaleEvent], "Every line of an order has its sale.", stores,
            async (store, token) => await UnsoldAsync(store, token));
        await PromiseAsync(
            [SeedKind.Inventory, SeedKind.InventoryEvent], "The stock on hand is what its latest change says.", stores,
            async (store, token) => Compare(await StockAsync(store, token), await LatestAsync(store, token)));
        return promises;

        async Task PromiseAsync(
            IReadOnlyList<SeedKind> kinds, string promise, IReadOnlyList<int> of, Func<int, CancellationToken, Task<IReadOnlyList<string>>> check)
        {
            if (!kinds.All(known.ContainsKey))
            {
                return;
            }

            var faults = new ConcurrentBag<string>();
            await Parallel.ForEachAsync(
                of,
                new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken },
                async (one, token) =>
                {
                    foreach (var fault in await check(one, token))
                    {
                        faults.Add(fault);
                    }
                });
            promises.Add(new SeedPromise(promise, faults.IsEmpty, [.. faults.Order(StringComparer.Ordinal).Take(MostExamples)]));
        }

        Task<List<BsonDocument>> RowAsync(SeedKind kind, long store, int perStore, CancellationToken token) => Collection(known[kind])
            .Find(SeedKeys.Row(known[kind], store * perStore, (store + 1) * perStore)).Sort(new BsonDocument("_id", 1)).ToListAsync(token);

        // Of each product that the store sells the first document is the store's own.
        async Task<List<BsonDocument>> StockAsync(long store, CancellationToken token) =>
        [
            .. (await RowAsync(SeedKind.Inventory, store, SeedSize.ProductsPerStore * SeedSize.StoresPerProduct, token))
                .Where(item => SeedId.TryRead(item["_id"].AsObjectId, SeedKind.Inventory, out _, out var number) && number % SeedSize.StoresPerProduct == 0),
        ];

        async Task<Func<BsonDocument, (string Field, long Expected)?>> HeldAsync(long store, CancellationToken token)
        {
            var held = (await RowAsync(SeedKind.Order, store, OrderPattern.PerStore, token))
                .Where(order => order["status"] == DocumentConventions.Stored(OrderStatus.Pending)
                    || order["status"] == DocumentConventions.Stored(OrderStatus.Paid))
                .SelectMany(order => order["lines"].AsBsonArray)
                .GroupBy(line => line["productId"], line => line["quantity"].ToInt64())
                .ToDictionary(product => product.Key, product => product.Sum());
            return item => ("reserved", held.GetValueOrDefault(item["productId"]));
        }

        async Task<Func<BsonDocument, (string Field, long Expected)?>> LatestAsync(long store, CancellationToken token)
        {
            var latest = (await RowAsync(SeedKind.InventoryEvent, store, SeedSize.InventoryEventsPerStore, token))
                .GroupBy(change => change["productId"])
                .ToDictionary(product => product.Key, product => product.MaxBy(change => change["sequence"].ToInt64())!);
            // What an order of the API changed since has its own events.
            return item => !latest.TryGetValue(item["productId"], out var change) ? ("onHand", -1)
                : change["sequence"].ToInt64() == item.GetValue("sequence", 0).ToInt64() ? ("onHand", change["onHand"].ToInt64())
                : null;
        }

        async Task<IReadOnlyList<string>> UnsoldAsync(long store, CancellationToken token)
        {
            var sold = (await RowAsync(SeedKind.SaleEvent, store, OrderPattern.LinesPerStore, token))
                .Select(sale => (sale["orderId"], sale["productId"], sale["quantity"].ToInt64(), sale["at"])).ToHashSet();
            return
            [
                .. (await RowAsync(SeedKind.Order, store, OrderPattern.PerStore, token))
                    .Where(order => order["lines"].AsBsonArray.Any(
                        line => !sold.Contains((order["_id"], line["productId"], line["quantity"].ToInt64(), order["placedAt"]))))
                    .Select(order => $"the order {order["_id"]} has a line without a sale"),
            ];
        }
    }

    private static IReadOnlyList<string> Compare(IEnumerable<BsonDocument> stock, Func<BsonDocument, (string Field, long Expected)?> expected) =>
    [
        .. stock.Select(item => (Item: item, Expected: expected(item)))
            .Where(pair => pair.Expected is (var field, var value) && pair.Item[field].ToInt64() != value)
            .Select(pair => $"{pair.Expected!.Value.Field} of the stock {pair.Item["_id"]} is {pair.Item[pair.Expected.Value.Field]}"
                + (pair.Expected.Value.Expected < 0 ? ", and it has no event" : $" instead of {pair.Expected.Value.Expected}")),
    ];

    private static BsonDocument Of(int tenant) => new("tenantId", SeedGenerator.TenantId(tenant));

    private static BsonDocument Status<TStatus>(TStatus status)
        where TStatus : struct, Enum => new("status", DocumentConventions.Stored(status));

    private static string Lacks(int tenant, string what) => $"the tenant {TenantProfile.For(tenant).Slug} has not {what}";

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.GetCollection<BsonDocument>(part.Name);

    private Task<bool> AnyAsync(SeedCollection part, BsonDocument of, BsonDocument condition, CancellationToken cancellationToken) => Collection(part)
        .Find(SeedKeys.All(part.Kind) & (FilterDefinition<BsonDocument>)of & condition).Limit(1).AnyAsync(cancellationToken);
}
