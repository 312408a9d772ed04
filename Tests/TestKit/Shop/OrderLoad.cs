using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.GeoJsonObjectModel;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Migrator.Structure;

namespace Platform.Tests.TestKit.Shop;

/// <summary>
/// A shop, callers who order there while connections break, and the books afterwards. Callers hang up, too, and ask again when they may: with
/// the same <c>Idempotency-Key</c>. Each order has a customer of its own, by whom it is found whatever its caller was told.
/// </summary>
internal sealed class OrderLoad
{
    /// <summary>What befalls commands: losses of every kind, on every command of an order.</summary>
    public static readonly IReadOnlyList<string> Losses =
    [
        "commitTransaction: cut-after 2%",
        "commitTransaction: cut-before 1%",
        "commitTransaction: cut-during 1%",
        "insert,findAndModify,delete: cut-after 0.5%",
        "insert,findAndModify,delete,abortTransaction: cut-before 0.5%",
        "insert,findAndModify: cut-during 0.25%",
        "find,aggregate: cut-after 0.25%",
        "*: delay-reply 0..20ms 10%",
    ];

    private const int Products = 12;
    private const int Scarce = 3;
    private const int Stores = 2;
    private const string Slug = "shop";
    private const string Category = "all";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly PlatformDatabase _database;
    private readonly int _seed;
    private readonly ObjectId _tenant = ObjectId.GenerateNewId();
    private readonly ObjectId[] _stores = [.. Enumerable.Range(0, Stores).Select(_ => ObjectId.GenerateNewId())];
    private readonly ObjectId[] _products = [.. Enumerable.Range(0, Products).Select(_ => ObjectId.GenerateNewId())];
    private readonly Draft[] _drafts;
    private readonly int _plenty;
    private readonly int _little;
    private readonly ConcurrentQueue<string> _wrong = new();
    private TimeSpan _took;
    private int _hungUp;
    private int _unavailable;

    private OrderLoad(PlatformDatabase database, int orders, int seed)
    {
        (_database, _seed) = (database, seed);
        // The scarce ones run out on the way, the others never do.
        (_plenty, _little) = (orders * 10, Math.Max(1, orders / 10));
        _drafts = [.. Enumerable.Range(0, orders).Select(Make)];
    }

    /// <summary>What happened, in a line.</summary>
    public string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"{_drafts.Length} orders in {_took.TotalSeconds:0.0} s: {_drafts.Count(draft => draft.Acknowledged is not null)} acknowledged, "
            + $"{_drafts.Count(draft => draft.Short)} short, "
        + $"{_drafts.Count(draft => draft is { Acknowledged: null, Short: false })} unknown to their callers; {_unavailable} times unavailable, {_hungUp} "
        + $"times hung up");

    /// <summary>Makes a shop.</summary>
    /// <param name="database">A new database, reached without faults.</param>
    /// <param name="orders">How many orders are placed later.</param>
    /// <param name="seed">Decides what is ordered, by whom and when callers hang up.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<OrderLoad> PrepareAsync(IMongoDatabase database, int orders, int seed, CancellationToken cancellationToken)
    {
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(
            allowDrop: false, cancellationToken);
        var load = new OrderLoad(new PlatformDatabase(database), orders, seed);
        await load.WriteAsync(cancellationToken);
        return load;
    }

    /// <summary>What there is in the shop, for who asks for anything.</summary>
    public FuzzShop Shop => new(Slug, _drafts[0].Customer.ToString(), _stores[0].ToString(), _products[Scarce].ToString(), Category);

    /// <summary>Where the API shows a product.</summary>
    /// <param name="number">Its number.</param>
    public string ProductPath(int number) => $"/tenants/{Slug}/products/{_products[number % Products]}";

    /// <summary>Places the orders.</summary>
    /// <param name="api">The API.</param>
    /// <param name="callers">How many callers there are.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task RunAsync(HttpClient api, int callers, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(
            _drafts,
            new ParallelOptions { MaxDegreeOfParallelism = callers, CancellationToken = cancellationToken },
            async (draft, token) =>
            {
                await PlaceAsync(api, draft, token);
                if (draft.Random.Next(3) == 0)
                {
                    using var answer = await api.GetAsync(ProductPath(draft.Random.Next(Products)), token);
                    await RequireAsync(answer, draft, token);
                }
            });
        _took = Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Compares what the API says, without faults, with the books: cached stock, and the answers to repeated requests.</summary>
    public async Task CheckAnswersAsync(HttpClient api, CancellationToken cancellationToken)
    {
        foreach (var product in _products)
        {
            var shown = await api.GetFromJsonAsync<JsonElement>($"/tenants/{Slug}/products/{product}", cancellationToken);
            var there = (await StockAsync(cancellationToken)).Where(item => item.ProductId == product).Sum(item => item.OnHand);
            if (shown.GetProperty("available").GetInt32() != there)
            {
                _wrong.Enqueue($"The API shows {shown.GetProperty("available")} of product {Array.IndexOf(_products, product)}, and there are {there}.");
            }
        }

        foreach (var draft in _drafts.Where(draft => draft is { Key: not null, Acknowledged: not null }).Take(100))
        {
            using var answer = await api.SendAsync(Request(draft), cancellationToken);
            if (answer.StatusCode != HttpStatusCode.Created
                || !answer.Headers.Contains("Idempotency-Replayed")
                || await IdAsync(answer, cancellationToken) != draft.Acknowledged)
            {
                _wrong.Enqueue($"{draft}: its replay is answered {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}");
            }
        }
    }

    /// <summary>Delivers the events that were left behind, as a relay does when they are old enough. Nobody else may be at it.</summary>
    public async Task DeliverAsync(CancellationToken cancellationToken)
    {
        const long fence = long.MaxValue;
        var outbox = new EventOutbox(_database);
        // All are old enough then.
        var later = DateTime.UtcNow + TimeSpan.FromHours(2);
        foreach (var tenant in await outbox.TenantsAsync(later, later, cancellationToken))
        {
            while (await outbox.ReadAsync(tenant, later, later, 100, cancellationToken) is { Count: > 0 } entries)
            {
                foreach (var left in entries)
                {
                    await outbox.ClaimAsync(left, fence, later.AddDays(1), cancellationToken);
                    await outbox.DeliverAgainAsync(left.Entry ?? throw left.Unreadable!, fence, cancellationToken);
                }
            }
        }
    }

    /// <summary>Audits the books, when all events are delivered.</summary>
    /// <returns>What is wrong, each in a sentence.</returns>
    public async Task<IReadOnlyCollection<string>> AuditAsync(CancellationToken cancellationToken)
    {
        var scope = _database.ForTenant(_tenant);
        var orders = await scope.Orders.Find().ToListAsync(cancellationToken);
        var byCustomer = orders.ToLookup(order => order.CustomerId);
        foreach (var draft in _drafts)
        {
            var placed = byCustomer[draft.Customer].ToList();
            if (placed.Count > 1)
            {
                _wrong.Enqueue($"{draft} exists {placed.Count} times.");
            }

            if (draft.Acknowledged is { } id && placed.All(order => order.Id != id))
            {
                _wrong.Enqueue($"{draft} was acknowledged as {id} and does not exist.");
            }

            if (draft.Short && placed.Count > 0)
            {
                _wrong.Enqueue($"{draft} was refused and exists.");
            }

            if (placed.Count > 0 && !placed[0].Lines.Select(line => (line.ProductId, line.Quantity)).Order().SequenceEqual(draft.Lines.Order()))
            {
                _wrong.Enqueue($"{draft} is not what was ordered.");
            }
        }

        var stock = await StockAsync(cancellationToken);
        var changes = await scope.InventoryEvents.Find().ToListAsync(cancellationToken);
        var sales = await scope.SaleEvents.Find().ToListAsync(cancellationToken);
        foreach (var item in stock)
        {
            var taken = orders.Where(order => order.StoreId == item.StoreId)
                .SelectMany(order => order.Lines)
                .Where(line => line.ProductId == item.ProductId)
                .Sum(line => line.Quantity);
            var told = -changes.Where(change => change.StoreId == item.StoreId && change.ProductId == item.ProductId).Sum(change => change.Change);
            var sold = sales.Where(sale => sale.StoreId == item.StoreId && sale.ProductId == item.ProductId).Sum(sale => sale.Quantity);
            var gone = InitialStock(Array.IndexOf(_products, item.ProductId)) - item.OnHand;
            if (item.OnHand < 0 || gone != taken || gone != told || gone != sold)
            {
                _wrong.Enqueue(
                    $"Of product {Array.IndexOf(_products, item.ProductId)} in store {Array.IndexOf(_stores, item.StoreId)}, {gone} are gone and "
                        + $"{item.OnHand} left; "
                    + $"orders took {taken}, stock events tell of {told}, sale events of {sold}.");
            }
        }

        var lines = orders.Sum(order => order.Lines.Count);
        if (changes.Select(change => change.Id).Distinct().Count() != lines || changes.Count != lines || sales.Count != lines)
        {
            _wrong.Enqueue($"{lines} lines were ordered, and there are {changes.Count} stock events and {sales.Count} sale events.");
        }

        return _wrong;
    }

    private async Task PlaceAsync(HttpClient api, Draft draft, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            using var caller = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (draft.Random.Next(12) == 0)
            {
                caller.CancelAfter(TimeSpan.FromMilliseconds(draft.Random.Next(1, 60)));
            }

            try
            {
                using var answer = await api.SendAsync(Request(draft), caller.Token);
                if (answer.StatusCode == HttpStatusCode.Created)
                {
                    draft.Acknowledged = await IdAsync(answer, cancellationToken);
                    return;
                }

                if (answer.StatusCode == HttpStatusCode.Conflict && await IsShortAsync(answer, draft, cancellationToken))
                {
                    draft.Short = true;
                    return;
                }

                if (!await RequireAsync(answer, draft, cancellationToken))
                {
                    return;
                }

                Interlocked.Increment(ref _unavailable);
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                Interlocked.Increment(ref _hungUp);
            }

            if (draft.Key is null)
            {
                // Nobody can ask again without a second order.
                return;
            }

            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                _wrong.Enqueue($"{draft} has had no answer for {Patience}.");
                return;
            }

            // Not as long as Retry-After says, which would only make the run long.
            await Task.Delay(draft.Random.Next(20, 150), cancellationToken);
        }
    }

    // Of the scarce ones only, and fewer than were asked for.
    private async Task<bool> IsShortAsync(HttpResponseMessage answer, Draft draft, CancellationToken cancellationToken)
    {
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        return problem.TryGetProperty("short", out var lines) && lines.GetArrayLength() > 0 && lines.EnumerateArray().All(line =>
            Array.IndexOf(_products, ObjectId.Parse(line.GetProperty("productId").GetString())) < Scarce
            && line.GetProperty("available").GetInt32() < line.GetProperty("requested").GetInt32());
    }

    // 200, or 503 that says when to come again; anything else is wrong.
    private async Task<bool> RequireAsync(HttpResponseMessage answer, Draft draft, CancellationToken cancellationToken)
    {
        if (answer.StatusCode == HttpStatusCode.OK || answer is { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null })
        {
            return true;
        }

        _wrong.Enqueue($"{draft}: {answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri?.AbsolutePath} is answered {(int)answer.StatusCode} "
            + $"{await answer.Content.ReadAsStringAsync(cancellationToken)}");
        return false;
    }

    private static async Task<ObjectId> IdAsync(HttpResponseMessage answer, CancellationToken cancellationToken) =>
        ObjectId.Parse((await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id").GetString());

    private static HttpRequestMessage Request(Draft draft)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/tenants/{Slug}/orders")
        {
            Content = JsonContent.Create(new
            {
                customerId = draft.Customer.ToString(),
                storeId = draft.Store.ToString(),
                lines = draft.Lines.Select(line => new { productId = line.Product.ToString(), quantity = line.Quantity }),
            }),
        };
        if (draft.Key is not null)
        {
            request.Headers.Add("Idempotency-Key", draft.Key);
        }

        return request;
    }

    private Draft Make(int number)
    {
        var random = new Random(HashCode(number));
        return new Draft(
            number,
            ObjectId.GenerateNewId(),
            random.Next(10) < 7 ? $"order {number}" : null,
            _stores[random.Next(Stores)],
            [.. Enumerable.Range(0, Products).OrderBy(_ => random.Next()).Take(random.Next(1, 4)).Select(product => (_products[product], random.Next(1, 4)))],
            random);
    }

    // The same in every process.
    private int HashCode(int number) =>
        BitConverter.ToInt32(SHA256.HashData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_seed} {number}"))));

    private int InitialStock(int product) => product < Scarce ? _little : _plenty;

    private Task<List<InventoryItem>> StockAsync(CancellationToken cancellationToken) =>
        _database.ForTenant(_tenant).Inventory.Find().ToListAsync(cancellationToken);

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var now = new BsonDateTime(DateTime.UtcNow).ToUniversalTime();
        var scope = _database.ForTenant(_tenant);
        var category = ObjectId.GenerateNewId();
        await _database.Tenants.InsertOneAsync(
            new Tenant { Id = _tenant, Slug = Slug, Name = "Shop", Currency = "EUR", Status = TenantStatus.Active, CreatedAt = now, UpdatedAt = now },
            cancellationToken: cancellationToken);
        await scope.Categories.InsertAsync(
            new Category { Id = category, TenantId = _tenant, Slug = Category, Name = "All", Position = 0, CreatedAt = now, UpdatedAt = now },
            cancellationToken: cancellationToken);
        await scope.Stores.InsertManyAsync(
            [
                .. _stores.Select((id, number) => new Store
                {
                    Id = id, TenantId = _tenant, Code = $"S{number}", Name = $"Store {number}", Status = StoreStatus.Open, CreatedAt = now, UpdatedAt = now,
                    Address = new Address { Street = "Main Street 1", City = "Town", PostalCode = "12345", Country = "DE" },
                    Location = new GeoJsonPoint<GeoJson2DGeographicCoordinates>(new GeoJson2DGeographicCoordinates(8, 50)),
                }),
            ],
            cancellationToken: cancellationToken);
        await scope.Products.InsertManyAsync(
            [
                .. _products.Select((id, number) => new Product
                {
                    Id = id, TenantId = _tenant, Sku = $"P{number}", Name = $"Product {number}", Description = "", CategoryId = category,
                    Price = 9.99m + number,
                    Currency = "EUR", Tags = [], Status = ProductStatus.Active, CreatedAt = now, UpdatedAt = now,
                }),
            ],
            cancellationToken: cancellationToken);
        await scope.Inventory.InsertManyAsync(
            [
                .. _products.SelectMany((product, number) => _stores.Select(store => new InventoryItem
                {
                    Id = ObjectId.GenerateNewId(), TenantId = _tenant, ProductId = product, StoreId = store, OnHand = InitialStock(number), Reserved = 0,
                    ReorderLevel = 0, UpdatedAt = now,
                })),
            ],
            cancellationToken: cancellationToken);
        foreach (var drafts in _drafts.Chunk(1000))
        {
            await scope.Customers.InsertManyAsync(
                [
                    .. drafts.Select(draft => new Customer
                    {
                        Id = draft.Customer, TenantId = _tenant, Email = $"customer{draft.Number}@shop.example", Name = $"Customer {draft.Number}",
                        CreatedAt = now, UpdatedAt = now,
                    }),
                ],
                cancellationToken: cancellationToken);
        }
    }

    private sealed class Draft(int number, ObjectId customer, string? key, ObjectId store, IReadOnlyList<(ObjectId Product, int Quantity)> lines, Random random)
    {
        public int Number => number;

        public ObjectId Customer => customer;

        public string? Key => key;

        public ObjectId Store => store;

        public IReadOnlyList<(ObjectId Product, int Quantity)> Lines => lines;

        public Random Random => random;

        /// <summary>The id that its caller was told.</summary>
        public ObjectId? Acknowledged { get; set; }

        /// <summary>Whether its caller was told that the stock is short.</summary>
        public bool Short { get; set; }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Order {number} {(key is null ? "without" : "with")} a key");
    }
}
