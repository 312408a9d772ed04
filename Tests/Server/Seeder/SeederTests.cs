using System.Text.Json;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Security;
using Platform.Data.Tenancy;
using Platform.Seeder.Generation;
using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>The seeder's commands write data and judge it.</summary>
public sealed class SeederTests(MongoServer server) : SeederCommandTests(server)
{
    private static readonly SeedSize Default = new();

    [Fact]
    public async Task Seed_script_creates_all_data()
    {
        var database = await MigratedAsync();
        var output = await DoneAsync(database, "run");

        foreach (var part in SeedCollection.All(Default))
        {
            Assert.Equal(
                part.Count, await Collection(database, part.Name).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
            Assert.Contains($"{part.Name}: {part.Count:N0} documents written", output, StringComparison.Ordinal);
        }

        Assert.Contains($"Hash {SeedHash.Compute(Default)}", output, StringComparison.Ordinal);

        // Everybody can sign in with what was printed.
        foreach (var role in Enum.GetValues<UserRole>())
        {
            var email = DocumentConventions.Stored(role).ToLowerInvariant() + "@aurora-outdoor.example";
            var line = Assert.Single(output.Split('\n'), line => line.Contains(' ' + email + ' ', StringComparison.Ordinal));
            var user = await new PlatformDatabase(database).Collection(CollectionCatalogue.Users).Find(user => user.Email == email).SingleAsync(Cancel);
            Assert.Equal(role, user.Role);
            Assert.True(PasswordHash.Verify(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1].Trim(), user.PasswordHash!));
        }

        // Once: the data is there, and so the second run says nothing of them.
        output = await DoneAsync(database, "run");
        Assert.StartsWith("Already seeded: 7,875 documents", output, StringComparison.Ordinal);
        Assert.DoesNotContain("@aurora-outdoor.example", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Seed_data_is_valid()
    {
        // The server checks every document against the catalogue's validators, and refuses those that break one.
        var database = await MigratedAsync();
        using (var cursor = await database.ListCollectionsAsync(cancellationToken: Cancel))
        {
            var collections = (await cursor.ToListAsync(Cancel)).ToDictionary(collection => collection["name"].AsString);
            Assert.All(Seeded, definition => Assert.True(collections[definition.Name]["options"]["validator"].AsBsonDocument.ElementCount > 0));
        }

        await DoneAsync(database, "run", "--scale", "2", "--tenants", "2");
        Assert.EndsWith(
            "The seeded data is as it was written (seed 2026, scale 2, 2 tenants, until 2026-01-01).",
            (await DoneAsync(database, "verify")).TrimEnd(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Relationships_between_entities_are_valid()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--tenants", "2");
        var report = JsonDocument.Parse(await DoneAsync(database, "verify", "--json")).RootElement;
        Assert.True(report.GetProperty("holds").GetBoolean());
        Assert.All(report.GetProperty("collections").EnumerateArray(), collection => Assert.Equal(0, collection.GetProperty("brokenReferences").GetInt64()));

        // Asked of the server, and not of the seeder.
        foreach (var part in SeedCollection.All(Default))
        {
            foreach (var reference in part.References)
            {
                var dangling = await Collection(database, part.Name).Aggregate<BsonDocument>(new[]
                {
                    new BsonDocument("$unwind", new BsonDocument { { "path", "$" + reference.Path.Split('.')[0] }, { "preserveNullAndEmptyArrays", false } }),
                    new BsonDocument("$group", new BsonDocument("_id", "$" + reference.Path)),
                    new BsonDocument(
                        "$lookup", new BsonDocument { { "from", reference.Target }, { "localField", "_id" }, { "foreignField", "_id" }, { "as", "found" } }),
                    new BsonDocument("$match", new BsonDocument("found", new BsonDocument("$size", 0))),
                }, cancellationToken: Cancel).ToListAsync(Cancel);
                Assert.Empty(dangling);
            }
        }
    }

    [Fact]
    public async Task Seed_works_on_a_fresh_database()
    {
        var database = await MigratedAsync();
        var output = await DoneAsync(database, "run", "--tenants", "1");
        Assert.StartsWith($"The database '{Name(database)}' is empty and is now marked as development.", output, StringComparison.Ordinal);
        Assert.Equal(
            "development",
            (await Collection(database, CollectionNames.Environment).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel))["name"].AsString);

        // Without its collections it is refused: the migrator comes first.
        Assert.Contains("run the migrator first", (await RunAsync(NewDatabase(), "run")).Expect(ExitCodes.Refused).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_hash_over_all_data()
    {
        var (first, second) = (await MigratedAsync(), await MigratedAsync());
        await DoneAsync(first, "run", "--tenants", "1", "--seed", "-7", "--until", "2025-06-30");
        await DoneAsync(second, "run", "--tenants", "1", "--seed", "3");
        var other = await HashAsync(second);
        await DoneAsync(second, "run", "--tenants", "1", "--seed", "-7", "--until", "2025-06-30");

        Assert.Equal(await HashAsync(first), await HashAsync(second));
        Assert.NotEqual(other, await HashAsync(second));
        Assert.Equal(
            (await StatusAsync(first)).GetProperty("marker").GetProperty("hash").GetString(),
            (await StatusAsync(second)).GetProperty("marker").GetProperty("hash").GetString());

        // And what verify reads is what the generator says, without a database.
        var verified = JsonDocument.Parse(await DoneAsync(second, "verify", "--json")).RootElement;
        Assert.Equal(SeedHash.Compute(new SeedSize { Tenants = 1, Seed = -7, Until = new DateOnly(2025, 6, 30) }), verified.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Only_some_collections_are_written_with_those_they_refer_to()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--only", "inventory,users");
        Assert.Equal(
            [3, 36, 12, 24, 1200, 3600, 0, 0],
            (await StatusAsync(database)).GetProperty("collections").EnumerateArray().Select(collection => collection.GetProperty("seeded").GetInt32()));
        await DoneAsync(database, "verify");

        // What is there stays as it is.
        await Collection(database, CollectionNames.Products).UpdateOneAsync(
            new BsonDocument("sku", "AUR-000001"), Builders<BsonDocument>.Update.Set("name", "Mine"), cancellationToken: Cancel);
        Assert.Contains("Seeded 3,000 documents", await DoneAsync(database, "run"), StringComparison.Ordinal);
        Assert.Equal(1, await Collection(database, CollectionNames.Products).CountDocumentsAsync(new BsonDocument("name", "Mine"), cancellationToken: Cancel));
    }

    [Fact]
    public async Task Indexes_that_were_deferred_are_there_afterwards()
    {
        var database = await MigratedAsync();
        var before = await IndexesAsync();
        var output = await DoneAsync(database, "run", "--tenants", "1", "--defer-indexes");
        Assert.Contains("Building the index products.active_words.", output, StringComparison.Ordinal);
        Assert.Equal(before, await IndexesAsync());
        await DoneAsync(database, "verify");

        // Not of a collection in which somebody may be searching.
        output = await DoneAsync(database, "run", "--tenants", "1", "--only", "users", "--again", "--defer-indexes");
        Assert.DoesNotContain("Building", output, StringComparison.Ordinal);

        // Those of a run that was interrupted are built by the next one.
        await Collection(database, CollectionNames.Products).Indexes.DropOneAsync("active_words", Cancel);
        await Collection(database, CollectionNames.SeedMarker).UpdateOneAsync(
            FilterDefinition<BsonDocument>.Empty, Builders<BsonDocument>.Update.Set("deferredIndexes", new BsonArray { "products.active_words" }),
            cancellationToken: Cancel);
        await DoneAsync(database, "run", "--tenants", "1");
        Assert.Equal(before, await IndexesAsync());

        async Task<IEnumerable<string>> IndexesAsync()
        {
            using var cursor = await Collection(database, CollectionNames.Products).Indexes.ListAsync(Cancel);
            return (await cursor.ToListAsync(Cancel)).Select(index => index["name"].AsString).Order();
        }
    }

    [Fact]
    public async Task A_run_that_was_killed_is_completed_by_the_next_one()
    {
        var database = await MigratedAsync();
        await using (var process = JobProgram.Seeder.Start(ConnectionStringOf(database), "run", "--tenants", "1", "--scale", "3"))
        {
            await process.UntilAsync(
                async () => await Collection(database, CollectionNames.Products).CountDocumentsAsync(
                    FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel) > 0, Cancel);
            await process.KillAsync();
        }

        Assert.Equal("incomplete", (await StatusAsync(database)).GetProperty("state").GetString());
        (await RunAsync(database, "verify")).Expect(ExitCodes.Refused);
        await DoneAsync(database, "run", "--tenants", "1", "--scale", "3");
        var verified = JsonDocument.Parse(await DoneAsync(database, "verify", "--json")).RootElement;
        Assert.Equal(SeedHash.Compute(new SeedSize { Tenants = 1, Scale = 3 }), verified.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Verify_finds_what_was_changed_removed_added_and_broken()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--tenants", "2");
        var orders = Collection(database, CollectionNames.Orders);
        var order = await orders.Find(FilterDefinition<BsonDocument>.Empty).SortBy(document => document["_id"]).FirstAsync(Cancel);
        await orders.UpdateOneAsync(
            new BsonDocument("_id", order["_id"]),
            Builders<BsonDocument>.Update.Set("total", new Decimal128(order["total"].AsDecimal + 1)),
            new UpdateOptions { BypassDocumentValidation = true },
            Cancel);
        await orders.UpdateOneAsync(
            new BsonDocument("_id", SeedId.Create(SeedKind.Order, 0, 1)),
            Builders<BsonDocument>.Update.Set("customerId", SeedId.Create(SeedKind.Customer, 1, 199)), cancellationToken: Cancel);
        await Collection(database, CollectionNames.Products).DeleteOneAsync(new BsonDocument("_id", order["lines"][0]["productId"]), Cancel);
        var customer = await Collection(database, CollectionNames.Customers).Find(FilterDefinition<BsonDocument>.Empty).FirstAsync(Cancel);
        customer["_id"] = SeedId.Create(SeedKind.Customer, 0, 1_000_000);
        customer["email"] = "somebody@else.example";
        await Collection(database, CollectionNames.Customers).InsertOneAsync(customer, cancellationToken: Cancel);

        var report = (await RunAsync(database, "verify", "--json")).Expect(ExitCodes.Refused).Json;
        Assert.False(report.GetProperty("holds").GetBoolean());
        Assert.NotEqual(report.GetProperty("expectedHash").GetString(), report.GetProperty("hash").GetString());
        var collections = report.GetProperty("collections").EnumerateArray().ToDictionary(collection => collection.GetProperty("collection").GetString()!);
        Assert.Equal((2, 1), (Number("orders", "changed"), Number("orders", "invalid")));
        Assert.True(Number("orders", "brokenReferences") >= 2, "The order of another tenant's customer, and the product that is gone.");
        Assert.Equal((1, 0), (Number("products", "missing"), Number("products", "changed")));
        Assert.Equal(3, Number("inventory", "brokenReferences"));
        Assert.Equal((1, 0), (Number("customers", "unexpected"), Number("customers", "missing")));
        Assert.Equal(0, Number("users", "brokenReferences"));

        // The same for people.
        var output = (await RunAsync(database, "verify")).Output;
        Assert.Contains($"orders {order["_id"]} was changed.", output, StringComparison.Ordinal);
        Assert.Contains("'seeder run --again' writes it anew.", output, StringComparison.Ordinal);
        await DoneAsync(database, "run", "--tenants", "2", "--again");
        await DoneAsync(database, "verify");

        int Number(string collection, string property) => collections[collection].GetProperty(property).GetInt32();
    }

    [Fact]
    public async Task A_second_seeder_waits_for_the_first()
    {
        var database = await MigratedAsync();
        string[] command = ["run", "--tenants", "1"];
        var runs = await Task.WhenAll(RunAsync(database, command), RunAsync(database, command));
        Assert.All(runs, run => run.Expect(ExitCodes.Success));
        Assert.Single(runs, run => run.Output.Contains("Already seeded", StringComparison.Ordinal));
        await DoneAsync(database, "verify");
    }
}
