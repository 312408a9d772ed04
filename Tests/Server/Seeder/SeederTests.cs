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
        var all = SeedCollection.All(Default).Sum(part => part.Count);
        Assert.StartsWith($"Already seeded: {all:N0} documents of the 90 days until ", output, StringComparison.Ordinal);
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
            Assert.All(
                CollectionCatalogue.Domain.Where(definition => definition.TimeSeries is null),
                definition => Assert.True(collections[definition.Name]["options"]["validator"].AsBsonDocument.ElementCount > 0));
        }

        await DoneAsync(database, "run", "--scale", "2", "--tenants", "2");
        Assert.EndsWith(
            $"The seeded data is as it was written (seed 2026, scale 2, 2 tenants, until {Default.Until:yyyy-MM-dd}).",
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
        var day = Default.Until.AddDays(-20);
        var until = day.ToString(SeedSize.DateFormat, null);
        await DoneAsync(first, "run", "--tenants", "1", "--seed", "-7", "--until", until);
        await DoneAsync(second, "run", "--tenants", "1", "--seed", "3");
        var other = await HashAsync(second);
        await DoneAsync(second, "run", "--tenants", "1", "--seed", "-7", "--until", until);

        Assert.Equal(await HashAsync(first), await HashAsync(second));
        Assert.NotEqual(other, await HashAsync(second));
        Assert.Equal(
            (await StatusAsync(first)).GetProperty("marker").GetProperty("hash").GetString(),
            (await StatusAsync(second)).GetProperty("marker").GetProperty("hash").GetString());

        // And what verify reads is what the generator says, without a database.
        var verified = JsonDocument.Parse(await DoneAsync(second, "verify", "--json")).RootElement;
        Assert.Equal(SeedHash.Compute(new SeedSize { Tenants = 1, Seed = -7, Until = day }), verified.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Only_some_collections_are_written_with_those_they_refer_to()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--only", "inventory,users");
        Assert.Equal(
            [4, 48, 16, 32, 1600, 4800, 0, 0, 0, 0],
            (await StatusAsync(database)).GetProperty("collections").EnumerateArray().Select(collection => collection.GetProperty("seeded").GetInt32()));
        await DoneAsync(database, "verify");

        // What is there stays as it is.
        await Collection(database, CollectionNames.Products).UpdateOneAsync(
            new BsonDocument("sku", "AUR-000001"), Builders<BsonDocument>.Update.Set("name", "Mine"), cancellationToken: Cancel);
        var missing = SeedCollection.All(Default).Skip(6).Sum(part => part.Count);
        Assert.Contains($"Seeded {missing:N0} documents", await DoneAsync(database, "run"), StringComparison.Ordinal);
        Assert.Equal(1, await Collection(database, CollectionNames.Products).CountDocumentsAsync(new BsonDocument("name", "Mine"), cancellationToken: Cancel));
    }

    [Fact]
    public async Task Costly_indexes_are_built_when_their_collections_are_filled()
    {
        var database = await MigratedAsync();
        var before = await IndexesAsync();
        var output = await DoneAsync(database, "run", "--tenants", "1");
        Assert.Contains("Building the index products.active_words.", output, StringComparison.Ordinal);
        Assert.Equal(before, await IndexesAsync());
        await DoneAsync(database, "verify");

        // Not of a collection in which somebody may be searching.
        output = await DoneAsync(database, "run", "--tenants", "1", "--only", "users", "--again");
        Assert.DoesNotContain("Building", output, StringComparison.Ordinal);

        // Those of a run that was interrupted are built by the next one.
        await Collection(database, CollectionNames.Products).Indexes.DropOneAsync("active_words", Cancel);
        await Collection(database, CollectionNames.SeedMarker).UpdateOneAsync(
            FilterDefinition<BsonDocument>.Empty, Builders<BsonDocument>.Update.Set("deferredIndexes", new BsonArray { "products.active_words" }),
            cancellationToken: Cancel);
        await DoneAsync(database, "run", "--tenants", "1");
        Assert.Equal(before, await IndexesAsync());

        output = await DoneAsync(await MigratedAsync(), "run", "--tenants", "1", "--keep-indexes");
        Assert.DoesNotContain("Building", output, StringComparison.Ordinal);

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
        Assert.Equal(SeedHash.Compute(Default with { Tenants = 1, Scale = 3 }), verified.GetProperty("hash").GetString());
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
        await orders.UpdateOneAsync(
            new BsonDocument("_id", SeedId.Create(SeedKind.Order, 0, 1)),
            Builders<BsonDocument>.Update.Set("placedAt", DateTime.UnixEpoch), cancellationToken: Cancel);
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

        // What stock, orders and events agree on was asked of the database.
        Assert.Equal(
            ["Every line of an order has its sale."],
            report.GetProperty("promises").EnumerateArray()
                .Where(promise => !promise.GetProperty("holds").GetBoolean()).Select(promise => promise.GetProperty("promise").GetString()));

        // The same for people.
        var output = (await RunAsync(database, "verify")).Output;
        Assert.Contains($"orders {order["_id"]} was changed.", output, StringComparison.Ordinal);
        Assert.Contains("'seeder run --again' writes it anew.", output, StringComparison.Ordinal);
        await DoneAsync(database, "run", "--tenants", "2", "--again");
        await DoneAsync(database, "verify");

        int Number(string collection, string property) => collections[collection].GetProperty(property).GetInt32();
    }

    [Fact]
    public async Task There_is_something_to_try_every_path_of_the_api_with_and_verify_says_when_there_is_not()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        Assert.Equal(6, (await PromisesAsync()).Count(promise => promise.Holds));
        var sold = await Collection(database, CollectionNames.SaleEvents).CountDocumentsAsync(
            new BsonDocument("at", new BsonDocument("$gte", DateTime.UtcNow.AddDays(-30))), cancellationToken: Cancel);
        Assert.True(sold > 1000, $"Only {sold} sales in the 30 days of a report.");

        // Each is broken by itself.
        await UpdateAsync(CollectionNames.Tenants, "{ status: 'suspended' }", "{ $set: { status: 'active' } }");
        await UpdateAsync(CollectionNames.Stores, "{ status: 'closed' }", "{ $set: { status: 'open' } }");
        await UpdateAsync(CollectionNames.Inventory, "{ $expr: { $eq: ['$onHand', '$reserved'] } }", "{ $inc: { onHand: 1 } }");
        var held = await Collection(database, CollectionNames.Inventory).Find(new BsonDocument("reserved", new BsonDocument("$gt", 0))).FirstAsync(Cancel);
        await UpdateAsync(CollectionNames.Inventory, $"{{ _id: ObjectId('{held["_id"]}') }}", "{ $inc: { reserved: -1 } }");
        await Collection(database, CollectionNames.SaleEvents).DeleteOneAsync(new BsonDocument("_id", SeedId.Create(SeedKind.SaleEvent, 1, 5)), Cancel);
        var broken = await PromisesAsync();
        Assert.Equal(6, broken.Count(promise => !promise.Holds && promise.Examples > 0));

        // An order of the API is no fault of the seeder's: its stock has an event of its own.
        await DoneAsync(database, "run", "--again");
        await UpdateAsync(CollectionNames.Inventory, $"{{ _id: ObjectId('{held["_id"]}') }}", "{ $inc: { onHand: -1, sequence: NumberLong(1) } }");
        Assert.Equal(6, (await PromisesAsync()).Count(promise => promise.Holds));

        Task UpdateAsync(string collection, string filter, string update) => Collection(database, collection).UpdateManyAsync(
            BsonDocument.Parse(filter), BsonDocument.Parse(update), new UpdateOptions { BypassDocumentValidation = true }, Cancel);

        async Task<IReadOnlyList<(bool Holds, int Examples)>> PromisesAsync()
        {
            var verified = await RunAsync(database, "verify", "--json");
            Assert.True(verified.Json.TryGetProperty("promises", out var promises), verified.Output);
            return
            [
                .. promises.EnumerateArray()
                    .Select(promise => (promise.GetProperty("holds").GetBoolean(), promise.GetProperty("examples").GetArrayLength())),
            ];
        }
    }

    [Fact]
    public async Task Who_names_no_day_gets_a_history_until_today_and_later_what_is_there()
    {
        var database = await MigratedAsync();
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        await UnpinnedAsync("run", "--tenants", "1");
        Assert.True(await UntilAsync() >= today, "The history ends before today.");

        // What was seeded some time ago stays, with what was changed in it, until it is to be written again.
        await UnpinnedAsync("run", "--tenants", "1", "--until", "2026-10-01");
        Assert.Equal(new DateOnly(2026, 10, 1), await UntilAsync());
        Assert.Contains("documents of the 90 days until 2026-10-01", await UnpinnedAsync("run", "--tenants", "1"), StringComparison.Ordinal);
        await UnpinnedAsync("run", "--tenants", "1", "--only", "users", "--again");
        Assert.Equal(new DateOnly(2026, 10, 1), await UntilAsync());
        await UnpinnedAsync("run", "--tenants", "1", "--again");
        Assert.True(await UntilAsync() >= today, "The history was not moved.");

        // Events as old as they may become are not written; everything else is, and obeys.
        var output = await UnpinnedAsync("run", "--tenants", "1", "--until", "2020-01-01");
        Assert.Contains("The history ends on 2020-01-01, so long ago that its saleEvents and inventoryEvents expire", output, StringComparison.Ordinal);
        Assert.False(await Collection(database, CollectionNames.SaleEvents).Find(FilterDefinition<BsonDocument>.Empty).AnyAsync(Cancel));
        await UnpinnedAsync("verify");
        Assert.Equal("seeded", (await StatusAsync(database)).GetProperty("state").GetString());

        async Task<string> UnpinnedAsync(params string[] arguments) =>
            (await JobProgram.Seeder.RunAsync(ConnectionStringOf(database), arguments, Cancel)).Expect(ExitCodes.Success).Output;

        async Task<DateOnly> UntilAsync() => DateOnly.ParseExact(
            (await StatusAsync(database)).GetProperty("marker").GetProperty("until").GetString()!, SeedSize.DateFormat, null);
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
