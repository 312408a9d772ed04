using System.Globalization;
using System.Text.Json;
using Aspire.Hosting.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>
/// The seeder in the running graph: what it left in the graph's database, beside which other classes have documents of their
/// own, and its program on databases of this class.
/// </summary>
public sealed class SeedingTests(StackFixture stack, OwnData<SeedingTests> own) : IClassFixture<OwnData<SeedingTests>>
{
    private const int Tenants = 4;

    // Of each tenant; docs/seeding.md.
    private static readonly (string Collection, int PerTenant)[] Parts =
    [
        (CollectionNames.Tenants, 1), (CollectionNames.Users, 12), (CollectionNames.Stores, 4), (CollectionNames.Categories, 8),
        (CollectionNames.Products, 400), (CollectionNames.Inventory, 1200), (CollectionNames.Customers, 200), (CollectionNames.Orders, 800),
        (CollectionNames.SaleEvents, 1680), (CollectionNames.InventoryEvents, 1888),
    ];

    // Keys of seeded documents begin alike.
    private static readonly BsonDocument Seeded = new("_id", new BsonDocument
    {
        { "$gte", ObjectId.Parse("5eedc0de" + new string('0', 16)) },
        { "$lt", ObjectId.Parse("5eedc0df" + new string('0', 16)) },
    });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Test_seed_script_creates_all_data()
    {
        await stack.App.UntilDoneAsync(ResourceNames.Seeder, TimeSpan.FromSeconds(60), Token);

        foreach (var (collection, perTenant) in Parts)
        {
            var documents = await SeededAsync(stack.Database, collection);
            Assert.Equal((collection, perTenant * Tenants), (collection, documents.Count));
            Assert.All(
                documents.CountBy(document => document[collection == CollectionNames.Tenants ? "_id" : "tenantId"]),
                tenant => Assert.Equal(perTenant, tenant.Value));
        }

        // Every role has somebody, of every tenant. What is personal is stored encrypted, with the master key of the stack.
        var users = await SeededAsync(stack.Database, CollectionNames.Users);
        using var encryption = new FieldEncryption(
            new MongoKeyVault(stack.Database), MasterKey.FromFile(Path.Combine(stack.DataDirectory, "encryption", "master.key")));
        foreach (var (collection, type) in new[] { (CollectionNames.Users, typeof(User)), (CollectionNames.Customers, typeof(Customer)) })
        {
            var fields = EncryptedFields.Of(type);
            foreach (var document in collection == CollectionNames.Users ? users : await SeededAsync(stack.Database, collection))
            {
                Assert.All(
                    fields, field => Assert.True(!document.Contains(field.Name) || EncryptedField.IsEncrypted(document[field.Name]), $"{field} of {document}"));
                encryption.Decrypt(fields, document);
                Assert.Contains('@', document["email"].AsString);
            }
        }

        Assert.All(
            (string[])["owner", "admin", "manager", "staff", "support", "readonly"],
            role => Assert.Equal(Tenants, users.Count(user => user["email"].AsString.StartsWith($"{role}@", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Verify_seed_data_is_valid()
    {
        // Asked of the server, with the rules that it applies to every write.
        var asked = 0;
        using var collections = await stack.Database.ListCollectionsAsync(cancellationToken: Token);
        foreach (var (name, validator) in (await collections.ToListAsync(Token))
            .Where(collection => Parts.Any(part => part.Collection == collection["name"]) && collection["options"].AsBsonDocument.Contains("validator"))
            .Select(collection => (collection["name"].AsString, collection["options"]["validator"].AsBsonDocument)))
        {
            var filter = new BsonDocument("$and", new BsonArray { Seeded, new BsonDocument("$nor", new BsonArray { validator }) });
            Assert.Empty(await stack.Database.GetCollection<BsonDocument>(name).Find(filter).ToListAsync(Token));
            asked++;
        }

        // A time series has none.
        Assert.Equal(Parts.Length - 2, asked);

        // And judged by the migrator, which finds no document at all that breaks a rule.
        var connectionString = await stack.App.GetConnectionStringAsync(ResourceNames.Database, Token);
        (await JobProgram.Migrator.RunAsync(connectionString, "validate", Token)).Expect(ExitCodes.Success);

        // And what is there is what the seeder wrote.
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        Assert.StartsWith(
            "The seeded data is as it was written",
            (await DoneAsync(database, "verify")).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Test_cleanup_script_removes_all_seeded_data()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        // Somebody's own product, in a seeded category.
        var product = await database.GetCollection<BsonDocument>(CollectionNames.Products).Find(new BsonDocument()).FirstAsync(Token);
        product["_id"] = ObjectId.GenerateNewId();
        product["sku"] = "BY-HAND";
        await database.GetCollection<BsonDocument>(CollectionNames.Products).InsertOneAsync(product, cancellationToken: Token);

        var output = await DoneAsync(database, "clean");

        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"Removed {Parts.Sum(part => part.PerTenant) * Tenants:N0} seeded documents."),
            output,
            StringComparison.Ordinal);
        foreach (var (collection, _) in Parts)
        {
            Assert.Empty(await SeededAsync(database, collection));
        }

        Assert.Equal(product, await database.GetCollection<BsonDocument>(CollectionNames.Products).Find(new BsonDocument()).SingleAsync(Token));
    }

    [Fact]
    public async Task Validate_relationships_between_entities()
    {
        var documents = new Dictionary<string, Dictionary<BsonValue, BsonDocument>>();
        foreach (var (collection, _) in Parts)
        {
            documents[collection] = (await SeededAsync(stack.Database, collection)).ToDictionary(document => document["_id"]);
        }

        // Every reference of every document leads to a document of the same tenant.
        var followed = 0;
        foreach (var (collection, field, target) in (IEnumerable<(string, string, string)>)
        [
            (CollectionNames.Categories, "parentId", CollectionNames.Categories),
            (CollectionNames.Products, "categoryId", CollectionNames.Categories),
            (CollectionNames.Inventory, "productId", CollectionNames.Products),
            (CollectionNames.Inventory, "storeId", CollectionNames.Stores),
            (CollectionNames.Orders, "customerId", CollectionNames.Customers),
            (CollectionNames.Orders, "storeId", CollectionNames.Stores),
        ])
        {
            foreach (var document in documents[collection].Values.Where(document => document.Contains(field)))
            {
                Assert.True(
                    documents[target].TryGetValue(document[field], out var other), $"{collection} {document["_id"]}: there is no {target} {document[field]}.");
                Assert.Equal(document["tenantId"], other["tenantId"]);
                followed++;
            }
        }

        foreach (var (collection, _) in Parts.Skip(1))
        {
            Assert.All(documents[collection].Values, document => Assert.True(documents[CollectionNames.Tenants].ContainsKey(document["tenantId"])));
        }

        // An order's lines name products that its store has, and cost what they add up to.
        var stock = documents[CollectionNames.Inventory].Values.Select(item => (item["productId"], item["storeId"])).ToHashSet();
        foreach (var order in documents[CollectionNames.Orders].Values)
        {
            foreach (var line in order["lines"].AsBsonArray.Select(line => line.AsBsonDocument))
            {
                Assert.Equal(documents[CollectionNames.Products][line["productId"]]["sku"], line["sku"]);
                Assert.Contains((line["productId"], order["storeId"]), stock);
                followed++;
            }

            Assert.Equal(order["subtotal"].ToDecimal(), order["lines"].AsBsonArray.Sum(line => line["total"].ToDecimal()));
        }

        Assert.True(followed > 15_000, $"Only {followed} references were followed.");
    }

    [Fact]
    public async Task Test_seed_works_on_fresh_database()
    {
        // Quite fresh, without its collections, it is refused: the migrator comes first.
        var database = own.NewDatabase();
        Assert.Contains("run the migrator first", (await RunAsync(database, "run")).Expect(ExitCodes.Refused).Sentence, StringComparison.Ordinal);

        await MigrateAsync(database);
        Assert.Contains("is empty and is now marked as development.", await DoneAsync(database, "run", "--tenants", "1"), StringComparison.Ordinal);
        using var status = JsonDocument.Parse(await DoneAsync(database, "status", "--json"));
        Assert.All(
            status.RootElement.GetProperty("collections").EnumerateArray(),
            collection => Assert.Equal(collection.GetProperty("expected").GetInt64(), collection.GetProperty("seeded").GetInt64()));
        foreach (var (collection, perTenant) in Parts)
        {
            Assert.Equal((collection, perTenant), (collection, (await SeededAsync(database, collection)).Count));
        }
    }

    private async Task<IMongoDatabase> MigratedAsync()
    {
        var database = own.NewDatabase();
        await MigrateAsync(database);
        return database;
    }

    private async Task MigrateAsync(IMongoDatabase database)
        => (await JobProgram.Migrator.RunAsync(own.ConnectionStringOf(database), "up", Token)).Expect(ExitCodes.Success);

    private Task<ProgramResult> RunAsync(IMongoDatabase database, params string[] arguments)
        => JobProgram.Seeder.RunAsync(own.ConnectionStringOf(database), arguments, Token);

    private async Task<string> DoneAsync(IMongoDatabase database, params string[] arguments)
        => (await RunAsync(database, arguments)).Expect(ExitCodes.Success).Output;

    private static Task<List<BsonDocument>> SeededAsync(IMongoDatabase database, string collection)
        => database.GetCollection<BsonDocument>(collection).Find(Seeded).ToListAsync(Token);
}
