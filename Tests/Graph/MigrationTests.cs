using System.Text.Json;
using Aspire.Hosting.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The migrator in the running graph: what it left in the graph's database, and its program on databases of this class.</summary>
public sealed class MigrationTests(StackFixture stack, OwnData<MigrationTests> own) : IClassFixture<OwnData<MigrationTests>>
{
    private const string First = "0001_create_collections";
    private const string Second = "0002_order_item_count";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Test_migrations_run_successfully()
    {
        // The graph's: the job has ended well, and only then did the API start.
        await stack.App.UntilDoneAsync(ResourceNames.Migrator, Patience, Token);
        Assert.True(
            stack.Timeline[$"{ResourceNames.Migrator} finished"] <= stack.Timeline[$"{ResourceNames.Api} running"],
            "The API was started before the migrator ended.");
        var connectionString = await stack.App.GetConnectionStringAsync(ResourceNames.Database, Token);
        var status = (await JobProgram.Migrator.RunAsync(connectionString, "status --json", Token)).Expect(ExitCodes.Success).Json;
        Assert.True(status.GetProperty("upToDate").GetBoolean());
        Assert.All(status.GetProperty("migrations").EnumerateArray(), migration => Assert.Equal("applied", migration.GetProperty("state").GetString()));

        // From nothing: in the order of the numbers, each recorded, with the collections of the catalogue as the outcome.
        var database = own.NewDatabase();
        var report = (await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json;
        Assert.Equal([First, Second], Ids(report).Take(2));
        Assert.Equal(Ids(report), (await RecordsAsync(database)).Select(record => record["_id"].AsString));
        Assert.All(await RecordsAsync(database), record => Assert.Equal("applied", record["state"]));
        Assert.Empty(CollectionCatalogue.All.Select(definition => definition.Name).Except(await NamesAsync(database)));
    }

    [Fact]
    public async Task Verify_rollback_works_correctly()
    {
        var database = own.NewDatabase();
        (await RunAsync(database, "up --to 1")).Expect(ExitCodes.Success);
        var structure = await StructureAsync(database);
        var order = new DocumentSamples(CollectionCatalogue.Orders, seed: 7).Valid();
        order.Remove("itemCount");
        var orders = database.GetCollection<BsonDocument>(CollectionNames.Orders);
        await orders.InsertOneAsync(order, cancellationToken: Token);

        // What the way up makes of data, the way down takes back.
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        Assert.Equal(
            order["lines"].AsBsonArray.Sum(line => line["quantity"].ToInt64()),
            (await orders.Find(new BsonDocument()).SingleAsync(Token))["itemCount"].ToInt64());
        Assert.Equal(Second, Ids((await RunAsync(database, "down --to 1 --json")).Expect(ExitCodes.Success).Json).Last());
        Assert.Equal(order, await orders.Find(new BsonDocument()).SingleAsync(Token));

        // Documents are not dropped with their collections.
        var refusal = (await RunAsync(database, "down --to 0")).Expect(ExitCodes.Refused);
        Assert.Contains("The collection orders is not empty", refusal.Errors, StringComparison.Ordinal);
        Assert.Equal(order, await orders.Find(new BsonDocument()).SingleAsync(Token));
        await orders.DeleteManyAsync(new BsonDocument(), Token);

        // Without documents everything that was made goes, and can be made again as it was.
        (await RunAsync(database, "down --to 0")).Expect(ExitCodes.Success);
        Assert.DoesNotContain(await NamesAsync(database), name => !name.StartsWith('_'));
        (await RunAsync(database, "up --to 1")).Expect(ExitCodes.Success);
        Assert.Equal(structure, await StructureAsync(database));
    }

    [Fact]
    public async Task Test_migration_idempotency()
    {
        var database = own.NewDatabase();
        Assert.NotEmpty(Ids((await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json));
        await database.GetCollection<BsonDocument>(CollectionNames.Orders).InsertOneAsync(
            new DocumentSamples(CollectionCatalogue.Orders, seed: 3).Valid(), cancellationToken: Token);
        var (records, structure, orders) = (await RecordsAsync(database), await StructureAsync(database), await OrdersAsync());

        var again = (await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json;

        Assert.Empty(Ids(again));
        Assert.Empty(again.GetProperty("changes").EnumerateArray());
        Assert.Equal(records, await RecordsAsync(database));
        Assert.Equal(structure, await StructureAsync(database));
        Assert.Equal(orders, await OrdersAsync());

        Task<List<BsonDocument>> OrdersAsync() => database.GetCollection<BsonDocument>(CollectionNames.Orders).Find(new BsonDocument()).ToListAsync(Token);
    }

    [Fact]
    public async Task Validate_migration_versioning()
    {
        var database = own.NewDatabase();
        (await RunAsync(database, "up --to 1")).Expect(ExitCodes.Success);
        var behind = (await RunAsync(database, "status --json")).Expect(ExitCodes.Refused).Json;
        Assert.Equal(
            ["applied", "pending"],
            behind.GetProperty("migrations").EnumerateArray().Take(2).Select(migration => migration.GetProperty("state").GetString()));

        // The rest follows by number; each record says what was run and by which version.
        Assert.DoesNotContain(First, Ids((await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json));
        var records = await RecordsAsync(database);
        Assert.Equal(Enumerable.Range(1, records.Count), records.Select(record => record["number"].ToInt32()));
        Assert.All(records, record => Assert.Matches("^[0-9a-f]{64}$", record["checksum"].AsString));
        Assert.All(records, record => Assert.NotEqual("", record["applicationVersion"].AsString));

        // A database that a newer program made is left alone.
        var collection = database.GetCollection<BsonDocument>(CollectionNames.Migrations);
        await collection.InsertOneAsync(
            new BsonDocument(records[0]) { ["_id"] = "9999_of_the_future", ["number"] = 9999, ["applicationVersion"] = "99.0" }, options: null, Token);
        var newer = (await RunAsync(database, "up")).Expect(ExitCodes.Refused);
        Assert.Contains(
            "9999_of_the_future, which this program does not know; use the program of version 99.0 or later.", OneSentence(newer), StringComparison.Ordinal);
        await collection.DeleteOneAsync(new BsonDocument("number", 9999), Token);

        // So is one whose history has another source than the program.
        await collection.UpdateOneAsync(
            new BsonDocument("number", 2), new BsonDocument("$set", new BsonDocument("checksum", new string('0', 64))), cancellationToken: Token);
        Assert.Contains(Second, OneSentence((await RunAsync(database, "up")).Expect(ExitCodes.Refused)), StringComparison.Ordinal);
        (await RunAsync(database, "verify")).Expect(ExitCodes.Refused);
    }

    [Fact]
    public async Task Test_migration_error_handling()
    {
        // Two users of one address: the unique index of the first migration cannot be built.
        var database = own.NewDatabase();
        var users = database.GetCollection<BsonDocument>(CollectionNames.Users);
        var user = new DocumentSamples(CollectionCatalogue.Users, seed: 1).Valid();
        await users.InsertManyAsync([user, new BsonDocument(user) { ["_id"] = ObjectId.GenerateNewId() }], cancellationToken: Token);

        var failed = (await RunAsync(database, "up")).Expect(ExitCodes.Failure);
        Assert.StartsWith($"migrator: Migration {First} failed", OneSentence(failed), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", failed.Errors, StringComparison.Ordinal); // no stack trace

        // It is left as half-done, which is what the status says, and nothing after it was begun.
        var status = (await RunAsync(database, "status --json")).Expect(ExitCodes.Refused).Json;
        Assert.Equal(
            ["failed", "pending"], status.GetProperty("migrations").EnumerateArray().Take(2).Select(migration => migration.GetProperty("state").GetString()));
        Assert.Contains($"half-done: {First} on its way up", (await RunAsync(database, "status")).Expect(ExitCodes.Refused).Output, StringComparison.Ordinal);

        // As long as the cause is there the next run comes no further.
        Assert.StartsWith(
            $"migrator: Migration {First} failed", OneSentence((await RunAsync(database, "up")).Expect(ExitCodes.Failure)), StringComparison.Ordinal);
        Assert.Equal([First], (await RecordsAsync(database)).Select(record => record["_id"].AsString));

        await users.DeleteOneAsync(new BsonDocument("_id", user["_id"]), Token);
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        (await RunAsync(database, "status")).Expect(ExitCodes.Success);
        Assert.Equal(["failed", "failed", "done"], (await RecordsAsync(database))[0]["runs"].AsBsonArray.Select(run => run["outcome"].AsString));
    }

    private Task<ProgramResult> RunAsync(IMongoDatabase database, string arguments) =>
        JobProgram.Migrator.RunAsync(own.ConnectionStringOf(database), arguments, Token);

    private static IEnumerable<string?> Ids(JsonElement report) =>
        report.GetProperty("migrations").EnumerateArray().Select(migration => migration.GetProperty("id").GetString());

    private static string OneSentence(ProgramResult answer) => Assert.Single(
        answer.Errors.TrimEnd().Split('\n'), line => line.StartsWith("migrator: ", StringComparison.Ordinal));

    private static async Task<List<string>> NamesAsync(IMongoDatabase database)
    {
        using var cursor = await database.ListCollectionNamesAsync(cancellationToken: Token);
        return await cursor.ToListAsync(Token);
    }

    // Of migrations; the history has a note of the catalogue beside them, without a number.
    private static Task<List<BsonDocument>> RecordsAsync(IMongoDatabase database) => database
        .GetCollection<BsonDocument>(CollectionNames.Migrations).Find(new BsonDocument("number", new BsonDocument("$gt", 0)))
            .Sort(new BsonDocument("_id", 1))
            .ToListAsync(Token);

    // Every collection with its options, and every index.
    private static async Task<List<string>> StructureAsync(IMongoDatabase database)
    {
        var structure = new List<string>();
        using var collections = await database.ListCollectionsAsync(cancellationToken: Token);
        foreach (var collection in (await collections.ToListAsync(Token)).Where(collection => !collection["name"].AsString.StartsWith('_')))
        {
            var name = collection["name"].AsString;
            structure.Add($"{name} {collection["options"]}");
            using var indexes = await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(Token);
            structure.AddRange((await indexes.ToListAsync(Token)).Select(index => $"{name} {index}"));
        }

        structure.Sort(StringComparer.Ordinal);
        return structure;
    }
}
