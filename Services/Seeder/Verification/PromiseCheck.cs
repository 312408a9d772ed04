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
/// <param name="database">The database.</param>
/// <param name="workers">How many queries are under way at once.</param>
/// <param name="parts">The collections that were seeded.</param>
/// <param name="size">What they were made from.</param>
internal sealed class PromiseCheck(IMongoDatabase database, int workers, IReadOnlyList<SeedCollection> parts, SeedSize size)
{
    private const int MostExamples = 5;

    private readonly Dictionary<SeedKind, SeedCollection> _parts = parts.ToDictionary(part => part.Kind);

    /// <summary>Checks all promises that the collections make.</summary>
    /// <param name="left">Which tenants are not there.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<IReadOnlyList<SeedPromise>> CheckAsync(Func<int, bool> left, CancellationToken cancellationToken)
    {
        var tenants = Enumerable.Range(0, size.Tenants).Where(tenant => !left(tenant)).ToList();
        var stores = tenants.SelectMany(tenant => Enumerable.Range(0, size.Stores).Select(store => (tenant * size.Stores) + store)).ToList();
        List<int> suspended = [.. tenants.Where(tenant => tenant == SeedGenerator.SuspendedTenant)];
        var promises = new (string Promise, SeedKind[] Of, List<int> Each, Func<int, CancellationToken, Task<IReadOnlyList<string>>> Faults)[]
        {
            ("A tenant is suspended.", [SeedKind.Tenant], suspended, UnsuspendedAsync),
            ("Every tenant has open stores and closed ones.", [SeedKind.Store], tenants, StoresLackingAsync),
            ("Every tenant has products that are sold out.", [SeedKind.Inventory], tenants, NothingSoldOutAsync),
            ("What is reserved are the pieces of pending and paid orders.", [SeedKind.Inventory, SeedKind.Order], stores, WronglyReservedAsync),
            ("Every line of an order has its sale.", [SeedKind.Order, SeedKind.SaleEvent], stores, UnsoldAsync),
            ("The stock on hand is what its latest change says.", [SeedKind.Inventory, SeedKind.InventoryEvent], stores, WronglyOnHandAsync),
        };
        var checks = new List<SeedPromise>();
        foreach (var (promise, of, each, faults) in promises.Where(promise => promise.Each.Count > 0 && promise.Of.All(_parts.ContainsKey)))
        {
            var found = new ConcurrentBag<string>();
            await Parallel.ForEachAsync(
                each,
                new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken },
                async (one, token) =>
                {
                    foreach (var fault in await faults(one, token))
                    {
                        found.Add(fault);
                    }
                });
            checks.Add(new SeedPromise(promise, found.IsEmpty, [.. found.Order(StringComparer.Ordinal).Take(MostExamples)]));
        }

        return checks;
    }

    private async Task<IReadOnlyList<string>> UnsuspendedAsync(int tenant, CancellationToken cancellationToken)
    {
        var own = new BsonDocument("_id", SeedGenerator.TenantId(tenant));
        return await AnyAsync(SeedKind.Tenant, own.Add(Status(TenantStatus.Suspended)), cancellationToken)
            ? [] : [$"the tenant {TenantProfile.For(tenant).Slug} is not"];
    }

    private async Task<IReadOnlyList<string>> StoresLackingAsync(int tenant, CancellationToken cancellationToken)
    {
        var lacking = new List<string>();
        foreach (var status in Enum.GetValues<StoreStatus>())
        {
            if (!await AnyAsync(SeedKind.Store, Of(tenant).Add(Status(status)), cancellationToken))
            {
                lacking.Add($"the tenant {TenantProfile.For(tenant).Slug} has no store that is {DocumentConventions.Stored(status)}");
            }
        }

        return lacking;
    }

    private async Task<IReadOnlyList<string>> NothingSoldOutAsync(int tenant, CancellationToken cancellationToken)
    {
        var none = new BsonDocument("$expr", new BsonDocument("$eq", new BsonArray { "$onHand", "$reserved" }));
        return await AnyAsync(SeedKind.Inventory, Of(tenant).Merge(none), cancellationToken)
            ? [] : [$"the tenant {TenantProfile.For(tenant).Slug} has none"];
    }

    private async Task<IReadOnlyList<string>> WronglyReservedAsync(int store, CancellationToken cancellationToken)
    {
        var held = (await RowAsync(SeedKind.Order, store, OrderPattern.PerStore, cancellationToken))
            .Where(order => order["status"] == DocumentConventions.Stored(OrderStatus.Pending)
                || order["status"] == DocumentConventions.Stored(OrderStatus.Paid))
            .SelectMany(order => order["lines"].AsBsonArray)
            .GroupBy(line => line["productId"], line => line["quantity"].ToInt64())
            .ToDictionary(product => product.Key, product => product.Sum());
        return
        [
            .. (await StockAsync(store, cancellationToken))
                .Where(item => item["reserved"].ToInt64() != held.GetValueOrDefault(item["productId"]))
                .Select(item => $"reserved of the stock {item["_id"]} is {item["reserved"]} instead of {held.GetValueOrDefault(item["productId"])}"),
        ];
    }

    private async Task<IReadOnlyList<string>> UnsoldAsync(int store, CancellationToken cancellationToken)
    {
        var sold = (await RowAsync(SeedKind.SaleEvent, store, OrderPattern.LinesPerStore, cancellationToken))
            .Select(sale => (sale["orderId"], sale["productId"], sale["quantity"].ToInt64(), sale["at"])).ToHashSet();
        return
        [
            .. (await RowAsync(SeedKind.Order, store, OrderPattern.PerStore, cancellationToken))
                .Where(order => order["lines"].AsBsonArray.Any(
                    line => !sold.Contains((order["_id"], line["productId"], line["quantity"].ToInt64(), order["placedAt"]))))
                .Select(order => $"the order {order["_id"]} has a line without a sale"),
        ];
    }

    private async Task<IReadOnlyList<string>> WronglyOnHandAsync(int store, CancellationToken cancellationToken)
    {
        var latest = (await RowAsync(SeedKind.InventoryEvent, store, SeedSize.InventoryEventsPerStore, cancellationToken))
            .GroupBy(change => change["productId"])
            .ToDictionary(product => product.Key, product => product.MaxBy(change => change["sequence"].ToInt64())!);
        var faults = new List<string>();
        foreach (var item in await StockAsync(store, cancellationToken))
        {
            if (!latest.TryGetValue(item["productId"], out var change))
            {
                faults.Add($"the stock {item["_id"]} has no event");
            }
            // What an order of the API changed since has an event of its own.
            else if (change["sequence"].ToInt64() == item.GetValue("sequence", 0).ToInt64() && change["onHand"] != item["onHand"])
            {
                faults.Add($"onHand of the stock {item["_id"]} is {item["onHand"]} instead of {change["onHand"]}");
            }
        }

        return faults;
    }

    // Of each product that the store sells the first document is the store's own.
    private async Task<List<BsonDocument>> StockAsync(long store, CancellationToken cancellationToken) =>
    [
        .. (await RowAsync(SeedKind.Inventory, store, SeedSize.ProductsPerStore * SeedSize.StoresPerProduct, cancellationToken))
            .Where(item => SeedId.TryRead(item["_id"].AsObjectId, SeedKind.Inventory, out _, out var number) && number % SeedSize.StoresPerProduct == 0),
    ];

    private Task<List<BsonDocument>> RowAsync(SeedKind kind, long store, int perStore, CancellationToken cancellationToken) => Collection(kind)
        .Find(SeedKeys.Row(_parts[kind], store * perStore, (store + 1) * perStore)).Sort(new BsonDocument("_id", 1)).ToListAsync(cancellationToken);

    private Task<bool> AnyAsync(SeedKind kind, BsonDocument condition, CancellationToken cancellationToken) =>
        Collection(kind).Find(SeedKeys.All(kind) & condition).Limit(1).AnyAsync(cancellationToken);

    private static BsonDocument Of(int tenant) => new("tenantId", SeedGenerator.TenantId(tenant));

    private static BsonElement Status<TStatus>(TStatus status)
        where TStatus : struct, Enum => new("status", DocumentConventions.Stored(status));

    private IMongoCollection<BsonDocument> Collection(SeedKind kind) => database.GetCollection<BsonDocument>(_parts[kind].Name);
}
