using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Security;
using Platform.Data.Tenancy;
using Platform.Migrator.Structure;
using Platform.Seeder.Generation;
using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>The seeder's commands, as programs, against a server.</summary>
[Collection(SeederCollection.Name)]
public sealed class SeederTests(GatewayFixture gateway)
{
    private static readonly SeedSize Default = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Seed_script_creates_all_data()
    {
        var database = await MigratedAsync();
        var output = await DoneAsync(database, "run");

        foreach (var part in SeedCollection.All(Default))
        {
            Assert.Equal(part.Count, await Collection(database, part.Name).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
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

        await DoneAsync(database, "run", "--scale", "2", "--tenants", "4");
        Assert.EndsWith("The seeded data is as it was written (seed 2026, scale 2, 4 tenants, until 2026-01-01).", (await DoneAsync(database, "verify")).TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cleanup_script_removes_all_seeded_data()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        Assert.Contains("Removed 7,875 seeded documents.", await DoneAsync(database, "clean"), StringComparison.Ordinal);
        foreach (var definition in CollectionCatalogue.All)
        {
            Assert.Equal(0, await Collection(database, definition.Name).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
        }

        Assert.Contains("It is not seeded.", await DoneAsync(database, "status"), StringComparison.Ordinal);
        Assert.Contains("Removed 0 seeded documents.", await DoneAsync(database, "clean"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Relationships_between_entities_are_valid()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
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
                    new BsonDocument("$lookup", new BsonDocument { { "from", reference.Target }, { "localField", "_id" }, { "foreignField", "_id" }, { "as", "found" } }),
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
        Assert.Equal("development", (await Collection(database, CollectionNames.Environment).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel))["name"].AsString);

        // Without its collections it is refused: the migrator comes first.
        var (exitCode, _, errors) = await RunAsync(gateway.NewDatabase(), "Development", "run");
        Assert.Equal((ExitCodes.Refused, true), (exitCode, errors.Contains("run the migrator first", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_hash_over_all_data()
    {
        var (first, second) = (await MigratedAsync(), await MigratedAsync());
        await DoneAsync(first, "run", "--seed", "-7", "--until", "2025-06-30");
        await DoneAsync(second, "run", "--seed", "3");
        var other = await HashAsync(second);
        await DoneAsync(second, "run", "--seed", "-7", "--until", "2025-06-30");

        Assert.Equal(await HashAsync(first), await HashAsync(second));
        Assert.NotEqual(other, await HashAsync(second));
        Assert.Equal((await StatusAsync(first)).GetProperty("marker").GetProperty("hash").GetString(), (await StatusAsync(second)).GetProperty("marker").GetProperty("hash").GetString());

        // And what verify reads is what the generator says, without a database.
        var verified = JsonDocument.Parse(await DoneAsync(second, "verify", "--json")).RootElement;
        Assert.Equal(SeedHash.Compute(new SeedSize { Seed = -7, Until = new DateOnly(2025, 6, 30) }), verified.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Clean_leaves_documents_made_by_hand_and_their_references_hold_again_after_the_next_run()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var (product, own) = await AddByHandAsync(database);

        var output = await DoneAsync(database, "clean");
        Assert.Contains("Documents of others stay that referred to seeded ones (products 1)", output, StringComparison.Ordinal);
        Assert.Equal(product, await Collection(database, CollectionNames.Products).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));
        Assert.Equal(own, await Collection(database, CollectionNames.Tenants).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));

        await DoneAsync(database, "run");
        Assert.Equal(1, await Collection(database, CollectionNames.Categories).CountDocumentsAsync(new BsonDocument("_id", product["categoryId"]), cancellationToken: Cancel));
        Assert.Equal(product, await Collection(database, CollectionNames.Products).Find(new BsonDocument("_id", product["_id"])).SingleAsync(Cancel));
        await DoneAsync(database, "verify");
    }

    [Fact]
    public async Task Clean_keeps_what_documents_made_by_hand_refer_to_when_asked()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var (product, own) = await AddByHandAsync(database);

        // The category, the category above it, and the tenant.
        Assert.Contains("Kept 3 seeded documents", await DoneAsync(database, "clean", "--keep-referenced"), StringComparison.Ordinal);
        var categories = await Collection(database, CollectionNames.Categories).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(Cancel);
        Assert.Equal(2, categories.Count);
        Assert.Contains(categories, category => category["_id"] == product["categoryId"]);
        Assert.Equal(
            [own["_id"], product["tenantId"]],
            (await Collection(database, CollectionNames.Tenants).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(Cancel)).Select(tenant => tenant["_id"]).OrderByDescending(id => id));
        Assert.Equal(product, await Collection(database, CollectionNames.Products).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));

        await DoneAsync(database, "run");
        await DoneAsync(database, "verify");
    }

    [Fact]
    public async Task Clean_of_a_tenant_leaves_the_others_and_the_next_run_brings_it_back()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run");
        var hash = await HashAsync(database);
        Assert.Contains("Removed 2,625 seeded documents of brightbyte.", await DoneAsync(database, "clean", "--tenant", "brightbyte"), StringComparison.Ordinal);
        foreach (var definition in Seeded.Skip(1))
        {
            var tenants = await (await Collection(database, definition.Name).DistinctAsync<ObjectId>("tenantId", FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel)).ToListAsync(Cancel);
            Assert.Equal([SeedGenerator.TenantId(0), SeedGenerator.TenantId(2)], tenants.Order());
        }

        Assert.Contains("Not expected, since removed: brightbyte.", await DoneAsync(database, "verify"), StringComparison.Ordinal);
        Assert.Contains("Seeded 2,625 documents", await DoneAsync(database, "run"), StringComparison.Ordinal);
        Assert.Equal(hash, await HashAsync(database));

        var (exitCode, _, errors) = await RunAsync(database, "Development", "clean", "--tenant", "brightbit");
        Assert.Equal(
            (ExitCodes.Usage, "seeder: There is no seeded tenant 'brightbit'; there are aurora-outdoor, brightbyte, casa-verde.\n"), (exitCode, errors));
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
        Assert.Contains("Building the index products.active_words.", await DoneAsync(database, "run", "--defer-indexes"), StringComparison.Ordinal);
        Assert.Equal(before, await IndexesAsync());
        await DoneAsync(database, "verify");

        // Not of a collection in which somebody may be searching.
        Assert.DoesNotContain("Building", await DoneAsync(database, "run", "--only", "users", "--again", "--defer-indexes"), StringComparison.Ordinal);

        // Those of a run that was interrupted are built by the next one.
        await Collection(database, CollectionNames.Products).Indexes.DropOneAsync("active_words", Cancel);
        await Collection(database, CollectionNames.SeedMarker).UpdateOneAsync(
            FilterDefinition<BsonDocument>.Empty, Builders<BsonDocument>.Update.Set("deferredIndexes", new BsonArray { "products.active_words" }), cancellationToken: Cancel);
        await DoneAsync(database, "run");
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
        using (var process = SeederProgram.Start(ConnectionString(database), "Development", ["run", "--scale", "5"]))
        {
            try
            {
                while (await Collection(database, CollectionNames.Products).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel) == 0)
                {
                    Assert.False(process.HasExited, "The run ended before it could be killed.");
                }
            }
            finally
            {
                process.Kill();
            }

            await process.WaitForExitAsync(Cancel);
        }

        Assert.Equal("incomplete", (await StatusAsync(database)).GetProperty("state").GetString());
        Assert.Equal(ExitCodes.Refused, (await RunAsync(database, "Development", "verify")).ExitCode);
        await DoneAsync(database, "run", "--scale", "5");
        var verified = JsonDocument.Parse(await DoneAsync(database, "verify", "--json")).RootElement;
        Assert.Equal(SeedHash.Compute(new SeedSize { Scale = 5 }), verified.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Verify_finds_what_was_changed_removed_added_and_broken()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--tenants", "2");
        var orders = Collection(database, CollectionNames.Orders);
        var order = await orders.Find(FilterDefinition<BsonDocument>.Empty).SortBy(document => document["_id"]).FirstAsync(Cancel);
        await orders.UpdateOneAsync(new BsonDocument("_id", order["_id"]), Builders<BsonDocument>.Update.Set("total", new Decimal128(order["total"].AsDecimal + 1)), new UpdateOptions { BypassDocumentValidation = true }, Cancel);
        await orders.UpdateOneAsync(
            new BsonDocument("_id", SeedId.Create(SeedKind.Order, 0, 1)), Builders<BsonDocument>.Update.Set("customerId", SeedId.Create(SeedKind.Customer, 1, 199)), cancellationToken: Cancel);
        await Collection(database, CollectionNames.Products).DeleteOneAsync(new BsonDocument("_id", order["lines"][0]["productId"]), Cancel);
        var customer = await Collection(database, CollectionNames.Customers).Find(FilterDefinition<BsonDocument>.Empty).FirstAsync(Cancel);
        customer["_id"] = SeedId.Create(SeedKind.Customer, 0, 1_000_000);
        customer["email"] = "somebody@else.example";
        await Collection(database, CollectionNames.Customers).InsertOneAsync(customer, cancellationToken: Cancel);

        var (exitCode, output, _) = await RunAsync(database, "Development", "verify", "--json");
        Assert.Equal(ExitCodes.Refused, exitCode);
        var report = JsonDocument.Parse(output).RootElement;
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
        output = (await RunAsync(database, "Development", "verify")).Output;
        Assert.Contains($"orders {order["_id"]} was changed.", output, StringComparison.Ordinal);
        Assert.Contains("'seeder run --again' writes it anew.", output, StringComparison.Ordinal);
        await DoneAsync(database, "run", "--tenants", "2", "--again");
        await DoneAsync(database, "verify");

        int Number(string collection, string property) => collections[collection].GetProperty(property).GetInt32();
    }

    [Fact]
    public async Task A_database_that_is_not_marked_as_development_is_refused_and_untouched()
    {
        var database = await MigratedAsync();
        var (_, own) = await AddTenantAsync(database);
        await RefusedAsync($"The database '{Name(database)}' is not marked as development");

        // A person marks it who types its name; then it works.
        Assert.Equal(ExitCodes.Refused, (await RunAsync(database, "Development", "mark", "platform")).ExitCode);
        await RefusedAsync("is not marked as development");
        await DoneAsync(database, "mark", Name(database), "--as", "production");
        await RefusedAsync("is marked as production");
        Assert.Equal(ExitCodes.Refused, (await RunAsync(database, "Development", "mark", Name(database))).ExitCode);
        await Collection(database, CollectionNames.Environment).DeleteManyAsync(FilterDefinition<BsonDocument>.Empty, Cancel);
        await DoneAsync(database, "mark", Name(database));
        await DoneAsync(database, "run", "--tenants", "1");

        async Task RefusedAsync(string sentence)
        {
            foreach (var command in new[] { "run", "clean" })
            {
                var (exitCode, _, errors) = await RunAsync(database, "Development", command);
                Assert.Equal(ExitCodes.Refused, exitCode);
                Assert.Contains(sentence, SeederProgram.Sentence(errors), StringComparison.Ordinal);
            }

            Assert.Equal(own, await Collection(database, CollectionNames.Tenants).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));
            Assert.Equal(0, await Collection(database, CollectionNames.SeedMarker).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Production")]
    public async Task The_environment_Production_is_refused_also_when_the_database_is_marked_as_development(string? environment)
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "mark", Name(database));
        foreach (var arguments in new string[][] { ["run"], [], ["clean"], ["mark", Name(database)] })
        {
            var (exitCode, _, errors) = await RunAsync(database, environment, arguments);
            Assert.Equal(ExitCodes.Refused, exitCode);
            Assert.StartsWith("seeder: The environment is Production, where made-up data does not belong", SeederProgram.Sentence(errors), StringComparison.Ordinal);
        }

        Assert.Equal(0, await Collection(database, CollectionNames.Tenants).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
    }

    [Fact]
    public async Task A_document_made_by_hand_with_the_same_unique_key_is_named()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--tenants", "1");
        await DoneAsync(database, "clean");
        await Collection(database, CollectionNames.Users).InsertOneAsync(
            new BsonDocument
            {
                { "_id", ObjectId.GenerateNewId() }, { "tenantId", SeedGenerator.TenantId(0) }, { "email", "owner@aurora-outdoor.example" }, { "displayName", "Me" },
                { "role", "owner" }, { "status", "active" }, { "createdAt", DateTime.UtcNow }, { "updatedAt", DateTime.UtcNow },
            },
            cancellationToken: Cancel);
        var (exitCode, _, errors) = await RunAsync(database, "Development", "run", "--tenants", "1");
        Assert.Equal(ExitCodes.Refused, exitCode);
        Assert.StartsWith("seeder: The document 5eedc0de0200000000000000 cannot be written to users", SeederProgram.Sentence(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_seeder_waits_for_the_first()
    {
        var database = await MigratedAsync();
        var runs = await Task.WhenAll(RunAsync(database, "Development", "run"), RunAsync(database, "Development", "run"));
        Assert.All(runs, run => Assert.Equal((ExitCodes.Success, ""), (run.ExitCode, run.Errors)));
        Assert.Single(runs, run => run.Output.Contains("Already seeded", StringComparison.Ordinal));
        await DoneAsync(database, "verify");
    }

    // Events are what services record; none are seeded.
    private static IEnumerable<CollectionDefinition> Seeded => CollectionCatalogue.All.Where(definition => definition.TimeSeries is null);

    // Over all data in the order of its keys, by the test's own means.
    private static async Task<string> HashAsync(IMongoDatabase database)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var definition in CollectionCatalogue.All)
        {
            foreach (var document in await Collection(database, definition.Name).Find(FilterDefinition<BsonDocument>.Empty).Sort(new BsonDocument("_id", 1)).ToListAsync(Cancel))
            {
                hash.AppendData(document.ToBson());
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    // A product in a seeded category, and a tenant of the user's own.
    private static async Task<(BsonDocument Product, BsonDocument Tenant)> AddByHandAsync(IMongoDatabase database)
    {
        var products = Collection(database, CollectionNames.Products);
        var product = await products.Find(FilterDefinition<BsonDocument>.Empty).FirstAsync(Cancel);
        product["_id"] = ObjectId.GenerateNewId();
        product["sku"] = "MINE-1";
        await products.InsertOneAsync(product, cancellationToken: Cancel);
        var (_, own) = await AddTenantAsync(database);
        return (product, own);
    }

    private static async Task<(IMongoDatabase Database, BsonDocument Tenant)> AddTenantAsync(IMongoDatabase database)
    {
        var own = new BsonDocument
        {
            { "_id", ObjectId.GenerateNewId() }, { "slug", "my-own" }, { "name", "My Own" }, { "currency", "EUR" }, { "status", "active" },
            { "createdAt", new BsonDateTime(DateTime.UnixEpoch) }, { "updatedAt", new BsonDateTime(DateTime.UnixEpoch) },
        };
        await Collection(database, CollectionNames.Tenants).InsertOneAsync(own, cancellationToken: Cancel);
        return (database, own);
    }

    private static IMongoCollection<BsonDocument> Collection(IMongoDatabase database, string name) => database.GetCollection<BsonDocument>(name);

    private static string Name(IMongoDatabase database) => database.DatabaseNamespace.DatabaseName;

    private async Task<IMongoDatabase> MigratedAsync()
    {
        var database = gateway.NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        return database;
    }

    private string ConnectionString(IMongoDatabase database) => gateway.ConnectionString.Replace("/?", $"/{Name(database)}?", StringComparison.Ordinal);

    private Task<(int ExitCode, string Output, string Errors)> RunAsync(IMongoDatabase database, string? environment, params string[] arguments) =>
        SeederProgram.RunAsync(ConnectionString(database), environment, arguments, Cancel);

    private async Task<string> DoneAsync(IMongoDatabase database, params string[] arguments)
    {
        var (exitCode, output, errors) = await RunAsync(database, "Development", arguments);
        Assert.True(exitCode == 0, $"seeder {string.Join(' ', arguments)} ended with {exitCode}: {errors}{output}");
        return output;
    }

    private async Task<JsonElement> StatusAsync(IMongoDatabase database) => JsonDocument.Parse(await DoneAsync(database, "status", "--json")).RootElement;
}
