using System.Globalization;
using System.Text;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>A seeded tenant with stock that does not run out, and the requests that callers send about it.</summary>
internal sealed class ApiShop
{
    /// <summary>The tenant.</summary>
    public const string Slug = "aurora-outdoor";

    // As many different ones as a caller is likely to meet again: products that many look at, and orders that seldom want the same.
    private const int Popular = 100;
    private const int Drafts = 500;
    private const int MostLines = 3;
    private const int Plenty = 100_000_000;

    private readonly byte[][] _products;
    private readonly byte[] _list;
    private readonly string[] _orders;
    private int _product = -1;
    private int _order = -1;

    private ApiShop(IEnumerable<string> products, IEnumerable<string> orders)
    {
        _products = [.. products.Select(id => Get($"/tenants/{Slug}/products/{id}"))];
        _list = Get($"/tenants/{Slug}/products?limit=20");
        _orders = [.. orders];
    }

    /// <summary>How many products there are: as many requests for <see cref="NextProduct"/> are about different ones.</summary>
    public int Products => _products.Length;

    /// <summary>A list of products.</summary>
    public ReadOnlySpan<byte> List => _list;

    /// <summary>Seeds a new database by the migrator and the seeder, and reads what can be asked of it.</summary>
    /// <param name="database">The database.</param>
    /// <param name="connectionString">How the programs reach it.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<ApiShop> SeedAsync(IMongoDatabase database, string connectionString, CancellationToken cancellationToken)
    {
        foreach (var (job, arguments) in new[] { (JobProgram.Migrator, "up"), (JobProgram.Seeder, "run --scale 2 --tenants 2") })
        {
            var result = await job.RunAsync(connectionString, arguments, cancellationToken);
            if (result.ExitCode != 0)
            {
                throw new BenchmarkException($"'{arguments}' ended with {result.ExitCode}: {result.Output}{result.Errors}");
            }
        }

        var tenant = (await database.GetCollection<BsonDocument>("tenants").Find(new BsonDocument("slug", Slug)).SingleAsync(cancellationToken))["_id"];
        var inventory = database.GetCollection<BsonDocument>("inventory");
        await inventory.UpdateManyAsync(
            new BsonDocument("tenantId", tenant), new BsonDocument("$set", new BsonDocument("onHand", Plenty)), cancellationToken: cancellationToken);
        var stock = (await inventory.Find(new BsonDocument("tenantId", tenant)).ToListAsync(cancellationToken))
            .ToLookup(item => item["storeId"], item => item["productId"]);
        var products = await IdsAsync("products", new BsonDocument("status", "active"));
        var stores = await IdsAsync("stores", new BsonDocument("status", "open"));
        var customers = await IdsAsync("customers", []);
        var onSale = products.ToHashSet();
        var random = new Random(1);
        var sold = stores.ToDictionary(store => store, store => stock[store].Where(onSale.Contains).ToArray());
        return new ApiShop(
            products.Select(id => id.ToString()!),
            Enumerable.Range(0, Drafts).Select(number =>
            {
                var store = stores[random.Next(stores.Count)];
                var lines = sold[store].OrderBy(_ => random.Next()).Take(1 + (number % MostLines)).Select(product =>
                    new BsonDocument { { "productId", product.ToString() }, { "quantity", random.Next(1, 4) } });
                return new BsonDocument
                {
                    { "customerId", customers[random.Next(customers.Count)].ToString() }, { "storeId", store.ToString() }, { "lines", new BsonArray(lines) },
                }.ToString();
            }));

        async Task<List<BsonValue>> IdsAsync(string collection, BsonDocument filter) =>
            [.. (await database.GetCollection<BsonDocument>(collection)
                .Find(filter.Add("tenantId", tenant))
                .Sort(new BsonDocument("_id", 1))
                .ToListAsync(cancellationToken)).Select(document => document["_id"])];
    }

    /// <summary>One of the products that everybody looks at.</summary>
    public ReadOnlySpan<byte> PopularProduct() => _products[(uint)Interlocked.Increment(ref _product) % Popular];

    /// <summary>The product that has not been asked for longest.</summary>
    /// <param name="number">How many were asked for before.</param>
    public ReadOnlySpan<byte> NextProduct(out uint number) => _products[(number = (uint)Interlocked.Increment(ref _product)) % (uint)_products.Length];

    /// <summary>An order of one to three products, under a key of its own.</summary>
    public byte[] NextOrder()
    {
        var number = Interlocked.Increment(ref _order);
        var body = _orders[number % _orders.Length];
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"POST /tenants/{Slug}/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: order {number}\r\n"
                + $"Content-Length: {body.Length}\r\n\r\n{body}"));
    }

    private static byte[] Get(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
}
