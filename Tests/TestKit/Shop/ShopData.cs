using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Search;

namespace Platform.Tests.TestKit.Shop;

/// <summary>
/// Made-up shops of three tenants, the first of which has most: enough of everything that a plan which reads too much shows. Written
/// without the platform's types, by two writers, with a batch each in memory.
/// </summary>
internal sealed class ShopData(int products, int others)
{
    private const int BatchSize = 2000;

    private static readonly string[] Looks =
    [
        "sturdy", "light", "blue", "red", "green", "compact", "foldable", "quiet", "bright", "soft", "round", "square", "tall", "narrow", "wide", "classic",
        "modern", "rustic", "smooth", "rugged", "portable", "heavy", "mini", "giant", "clever", "simple", "elegant", "sporty", "cosy", "fresh", "warm", "cool",
    ];

    private static readonly string[] Materials =
    [
        "oak", "steel", "cotton", "wool", "glass", "granite", "rubber", "leather", "bamboo", "copper", "linen", "marble", "plastic", "paper", "silk", "brass",
        "walnut", "concrete", "ceramic", "cork", "denim", "felt", "bronze", "nylon",
    ];

    private static readonly string[] Things =
    [
        "chair", "lamp", "table", "kettle", "pan", "drill", "saw", "hose", "tent", "bike", "jacket", "shoe", "puzzle", "phone", "speaker", "shelf", "mirror",
        "clock", "basket", "ladder", "rake", "spade", "vase", "mug", "plate", "knife", "fork", "spoon", "bowl", "towel", "pillow", "blanket", "rug", "curtain",
        "desk", "stool", "bench", "sofa", "bed", "wardrobe", "helmet", "glove", "scarf", "hat", "belt", "wallet", "backpack", "suitcase", "umbrella", "bottle",
    ];

    private static readonly DateTime Start = new(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The tenants that are active; the first has eight of ten products. Others are there by name only.</summary>
    public static IReadOnlyList<ObjectId> Tenants { get; } = [Key(1, 0), Key(1, 1), Key(1, 2)];

    private const int CategoriesPerTenant = 120;
    private const int StoresPerTenant = 1000;

    /// <summary>Writes everything into collections that may not exist yet.</summary>
    public async Task LoadAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        using (var existing = await database.ListCollectionNamesAsync(cancellationToken: cancellationToken))
        {
            // The first write would make plain collections of them.
            var names = await existing.ToListAsync(cancellationToken);
            foreach (var series in CollectionCatalogue.Domain.Where(collection => collection.TimeSeries is not null && !names.Contains(collection.Name)))
            {
                await database.RunCommandAsync<BsonDocument>(
                    new BsonDocument("create", series.Name).Merge(series.Options()), cancellationToken: cancellationToken);
            }
        }

        (string Name, int Count, Func<Random, int, BsonDocument> Make)[] parts =
        [
            ("tenants", 2000, Tenant),
            ("users", 600, User),
            ("stores", 3 * StoresPerTenant, Store),
            ("categories", 3 * CategoriesPerTenant, Category),
            ("products", products, Product),
            ("inventory", others, Inventory),
            ("customers", others, Customer),
            ("orders", others, Order),
            ("saleEvents", others, Sale),
            ("inventoryEvents", others, StockEvent),
            ("_outbox", others, Entry),
        ];
        foreach (var (name, count, make) in parts)
        {
            var collection = database.GetCollection<BsonDocument>(name);
            var batches = Enumerable.Range(0, (count + BatchSize - 1) / BatchSize);
            await Parallel.ForEachAsync(
                batches,
                new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = cancellationToken },
                async (batch, token) =>
                {
                    var random = new Random((name.Length * 1_000_000) + batch);
                    var first = batch * BatchSize;
                    await collection.InsertManyAsync(
                        Enumerable.Range(first, Math.Min(BatchSize, count - first)).Select(number => make(random, number)),
                        new InsertManyOptions { IsOrdered = false },
                        token);
                });
        }
    }

    // Eight of ten documents are the first tenant's.
    private static int Owner(int number) => (number % 10) switch { < 8 => 0, 8 => 1, _ => 2 };

    private static ObjectId Key(int kind, int number) =>
        new(string.Create(CultureInfo.InvariantCulture, $"5eed0000{kind:x2}000000{number:x8}"));

    private static string Pick(Random random, string[] words) => words[random.Next(words.Length)];

    private static DateTime When(Random random, int days = 500) => Start.AddSeconds(random.Next(days * 86_400));

    private static BsonDecimal128 Price(Random random) => new(random.Next(100, 100_000) / 100m);

    private static BsonDocument Tenant(Random random, int number) => new()
    {
        { "_id", Key(1, number) }, { "slug", $"tenant-{number}" }, { "name", $"Tenant {number}" }, { "currency", "EUR" },
        { "status", number < Tenants.Count ? "active" : "suspended" },
        { "createdAt", Start }, { "updatedAt", Start },
    };

    private static BsonDocument User(Random random, int number) => new()
    {
        { "_id", Key(2, number) }, { "tenantId", Tenants[number % 3] }, { "email", $"user{number}@shop.example" }, { "displayName", $"User {number}" },
        { "role", random.Next(2) == 0 ? "staff" : "manager" }, { "status", "active" }, { "createdAt", Start }, { "updatedAt", Start },
    };

    private static BsonDocument Store(Random random, int number) => new()
    {
        { "_id", Key(3, number) }, { "tenantId", Tenants[number % 3] }, { "code", $"ST-{number}" }, { "name", $"Store {random.Next(10_000)}" },
        { "address", new BsonDocument { { "street", "Main Street 1" }, { "city", "Town" }, { "postalCode", "12345" }, { "country", "DE" } } },
        {
            "location",
            new BsonDocument { { "type", "Point" }, { "coordinates", new BsonArray { 6 + (random.NextDouble() * 3), 48 + (random.NextDouble() * 3) } } }
        },
        { "status", random.Next(20) == 0 ? "closed" : "open" }, { "createdAt", Start }, { "updatedAt", Start },
    };

    private static BsonDocument Category(Random random, int number)
    {
        var (tenant, index) = (number / CategoriesPerTenant, number % CategoriesPerTenant);
        var category = new BsonDocument
        {
            { "_id", Key(4, number) }, { "tenantId", Tenants[tenant] }, { "slug", $"category-{index}" }, { "name", $"Category {index}" },
            { "position", index % 8 }, { "createdAt", Start }, { "updatedAt", Start },
        };
        if (index % 8 != 0)
        {
            category.Add("parentId", Key(4, number - (index % 8)));
        }

        return category;
    }

    private static BsonDocument Product(Random random, int number)
    {
        var tenant = Owner(number);
        var (look, material, thing) = (Pick(random, Looks), Pick(random, Materials), Pick(random, Things));
        var created = When(random);
        var (sku, name) = ($"SKU-{number:00000000}", $"{look} {material} {thing} {number % 1009}");
        var description =
            $"A {thing} for every day, made of {material}. It is {look} and {Pick(random, Looks)}, and goes well with any {Pick(random, Things)}.";
        var words = ProductWords.Of(name, sku, [material, look], description);
        return new BsonDocument
        {
            { "_id", Key(5, number) }, { "tenantId", Tenants[tenant] }, { "sku", sku }, { "name", name }, { "description", description },
            { "searchWords", new BsonArray(words.All) }, { "searchNameWords", words.OfName },
            { "categoryId", Key(4, (tenant * CategoriesPerTenant) + random.Next(CategoriesPerTenant)) },
            { "price", Price(random) }, { "currency", "EUR" }, { "tags", new BsonArray { material, look } },
            { "status", random.Next(10) switch { 0 => "draft", 1 => "archived", _ => "active" } },
            { "createdAt", created }, { "updatedAt", created.AddDays(random.Next(100)) },
        };
    }

    private BsonDocument Inventory(Random random, int number)
    {
        var product = number % products;
        return new BsonDocument
        {
            { "_id", Key(6, number) }, { "tenantId", Tenants[Owner(product)] }, { "productId", Key(5, product) },
            { "storeId", StoreOf(random, Owner(product)) }, { "onHand", random.Next(10, 100) }, { "reserved", 0 }, { "reorderLevel", 5 },
            { "updatedAt", Start },
        };
    }

    private static BsonDocument Customer(Random random, int number)
    {
        var created = When(random);
        return new BsonDocument
        {
            { "_id", Key(7, number) }, { "tenantId", Tenants[Owner(number)] }, { "email", $"customer{number}@mail.example" }, { "name", $"Customer {number}" },
            { "createdAt", created }, { "updatedAt", created },
        };
    }

    private BsonDocument Order(Random random, int number)
    {
        var tenant = Owner(number);
        var placed = When(random, 90);
        var total = Price(random);
        // The customer has the same last digit, and so the same tenant.
        return new BsonDocument
        {
            { "_id", Key(8, number) }, { "tenantId", Tenants[tenant] }, { "number", $"ORD-{number}" },
            { "customerId", Key(7, (random.Next(Math.Max(1, others / 100)) * 10) + (number % 10)) }, { "storeId", StoreOf(random, tenant) },
            {
                "lines", new BsonArray
                {
                    new BsonDocument
                    {
                        { "productId", Key(5, number % products) },
                        { "sku", $"SKU-{number}" },
                        { "name", "A thing" },
                        { "quantity", 1 },
                        { "unitPrice", total },
                        { "total", total },
                    },
                }
            },
            { "currency", "EUR" }, { "subtotal", total }, { "tax", new BsonDecimal128(0m) }, { "total", total },
            { "status", random.Next(5) switch { 0 => "pending", 1 => "paid", _ => "delivered" } }, { "placedAt", placed }, { "updatedAt", placed },
        };
    }

    private BsonDocument Sale(Random random, int number) => new()
    {
        { "_id", Key(9, number) }, { "tenantId", Tenants[Owner(number)] }, { "at", Recently(random) }, { "storeId", StoreOf(random, Owner(number)) },
        { "productId", Key(5, random.Next(products / 10) * 10) }, { "orderId", Key(8, number) }, { "quantity", 1 }, { "total", Price(random) },
        { "currency", "EUR" },
    };

    private BsonDocument StockEvent(Random random, int number) => new()
    {
        { "_id", Key(10, number) }, { "tenantId", Tenants[Owner(number)] }, { "at", Recently(random) }, { "storeId", StoreOf(random, Owner(number)) },
        { "productId", Key(5, random.Next(products / 10) * 10) }, { "kind", "sold" }, { "change", -1 }, { "onHand", 5 },
    };

    private static BsonDocument Entry(Random random, int number) => new()
    {
        { "_id", Key(8, number) }, { "tenantId", Tenants[Owner(number)] }, { "createdAt", Recently(random) }, { "sales", new BsonArray() },
        { "stock", new BsonArray() },
    };

    // What is older than its index allows would expire during the run.
    private static DateTime Recently(Random random) => DateTime.UtcNow.AddSeconds(-random.Next(90 * 86_400));

    private static ObjectId StoreOf(Random random, int tenant) => Key(3, (random.Next(StoresPerTenant) * 3) + tenant);
}
