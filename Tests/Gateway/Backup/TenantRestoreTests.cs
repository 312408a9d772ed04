using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;
using Platform.Backup.InPlace;
using Platform.Data.Encryption;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>One tenant's way back, beside all others.</summary>
[Collection(BackupCollection.Name)]
public sealed class TenantRestoreTests(BackupFixture fixture)
{
    private static readonly string[] s_collections = [CollectionNames.Products, CollectionNames.Orders, CollectionNames.Stores];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_tenant_is_brought_back_by_the_documented_commands_and_no_other_is_touched()
    {
        using var host = await fixture.HostWithBackupAsync(Token);

        var live = fixture.Set.NewDatabase();
        var (hit, other) = (await TenantAsync(live, "hit", 7), await TenantAsync(live, "other", 8));
        var (was, others) = (await HashesAsync(live, hit), await HashesAsync(live, other));
        var moment = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

        // What people do: a wrong update, a removal, and something new.
        var (products, orders) = (live.GetCollection<BsonDocument>(CollectionNames.Products), live.GetCollection<BsonDocument>(CollectionNames.Orders));
        await products.UpdateManyAsync(new BsonDocument("tenantId", hit), new BsonDocument("$set", new BsonDocument("price", 0)), null, Token);
        await orders.DeleteManyAsync(new BsonDocument("tenantId", hit), Token);
        await orders.InsertOneAsync(new BsonDocument { ["_id"] = ObjectId.GenerateNewId(), ["tenantId"] = hit, ["text"] = "new" }, null, Token);
        var after = await HashesAsync(live, hit);

        var report = (await fixture.RunAsync(["restore", "--at", moment, "--tenant", "hit", "--json"], Token, live)).Expect(ExitCodes.Success).Json;
        Assert.Equal(after, await HashesAsync(live, hit));
        Assert.False(report.GetProperty("applied").GetBoolean());
        var changes = report.GetProperty("changes").EnumerateArray().ToDictionary(c => c.GetProperty("collection").GetString()!, c =>
            (Number(c, "same"), Number(c, "inserted"), Number(c, "replaced"), Number(c, "deleted")));
        Assert.Equal((0, 0, 250, 0), changes[CollectionNames.Products]);
        Assert.Equal((0, 250, 0, 1), changes[CollectionNames.Orders]);
        Assert.Equal((250, 0, 0, 0), changes[CollectionNames.Stores]);

        (await fixture.RunAsync(["restore", "--at", moment, "--tenant", "hit", "--apply", "0123456789abcdef"], Token, live)).Expect(ExitCodes.Refused);
        Assert.Equal(after, await HashesAsync(live, hit));

        var plan = report.GetProperty("plan").GetString()!;
        var applied = (await fixture.RunAsync(["restore", "--at", moment, "--tenant", hit.ToString(), "--apply", plan, "--json"], Token, live))
            .Expect(ExitCodes.Success).Json;
        Assert.Equal(0, applied.GetProperty("leftAlone").GetInt64());
        Assert.Equal(was, await HashesAsync(live, hit));
        Assert.Equal(others, await HashesAsync(live, other));

        // And the way back from the way back.
        var before = applied.GetProperty("before").GetString()!;
        var back = (await fixture.RunAsync(["restore", "--at", before, "--tenant", "hit", "--json"], Token, live)).Expect(ExitCodes.Success).Json;
        (await fixture.RunAsync(["restore", "--at", before, "--tenant", "hit", "--apply", back.GetProperty("plan").GetString()!], Token, live))
            .Expect(ExitCodes.Success);
        Assert.Equal(after, await HashesAsync(live, hit));
        Assert.Equal(others, await HashesAsync(live, other));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_was_done_to_a_tenant_is_taken_back_and_what_is_written_meanwhile_is_left_alone(int seed)
    {
        BackupFixture.Require();
        var random = new Random(1000 + seed);
        // Two databases of one server stand for the running one and the copy.
        var (live, copy) = (fixture.Set.NewDatabase(), fixture.Set.NewDatabase());
        var tenant = await TenantAsync(copy, "hit", seed);
        await TenantAsync(live, "hit", seed, tenant);
        var other = await TenantAsync(live, "other", seed + 1);
        var others = await HashesAsync(live, other);
        foreach (var name in s_collections)
        {
            var collection = live.GetCollection<BsonDocument>(name);
            foreach (var document in await collection.Find(new BsonDocument("tenantId", tenant)).ToListAsync(Token))
            {
                var key = new BsonDocument("_id", document["_id"]);
                switch (random.Next(4))
                {
                    case 0: await collection.DeleteOneAsync(key, Token); break;
                    case 1: await collection.UpdateOneAsync(key, new BsonDocument("$set", new BsonDocument("price", random.Next())), null, Token); break;
                    case 2: await collection.InsertOneAsync(New(tenant, random), null, Token); break;
                }
            }
        }

        var restore = new InPlaceRestore(live, copy, RestoreScope.OfTenant(tenant));
        using (var plan = await restore.PlanAsync(Path.GetTempPath(), Token))
        {
            // Written to between the report and the restore.
            var products = live.GetCollection<BsonDocument>(CollectionNames.Products);
            var late = plan.Batches(RestoreStep.Replace, 100).First(batch => batch.Collection == CollectionNames.Products).Documents.Keys.First();
            await products.UpdateOneAsync(new BsonDocument("_id", late), new BsonDocument("$set", new BsonDocument("late", true)), null, Token);
            Assert.Equal(1, await restore.ApplyAsync(plan, Token));
            Assert.True((await products.Find(new BsonDocument("_id", late)).SingleAsync(Token))["late"].AsBoolean);
        }

        // Ended half-way, a new plan has the rest.
        using (var rest = await restore.PlanAsync(Path.GetTempPath(), Token))
        {
            Assert.Equal(1, rest.Changes.Sum(changes => changes.Replaced + changes.Inserted + changes.Deleted));
            Assert.Equal(0, await restore.ApplyAsync(rest, Token));
        }

        using var done = await restore.PlanAsync(Path.GetTempPath(), Token);
        Assert.True(done.IsEmpty);
        Assert.Equal(await HashesAsync(copy, tenant), await HashesAsync(live, tenant));
        Assert.Equal(others, await HashesAsync(live, other));
    }

    [Fact]
    public async Task A_tenant_that_was_not_there_and_a_database_of_another_structure_are_refused()
    {
        BackupFixture.Require();
        var (live, copy) = (fixture.Set.NewDatabase(), fixture.Set.NewDatabase());
        var tenant = await TenantAsync(live, "new", 1);
        await TenantAsync(copy, "old", 2);
        var restore = new InPlaceRestore(live, copy, RestoreScope.OfTenant(tenant));
        var gone = await Assert.ThrowsAsync<BackupException>(() => restore.PlanAsync(Path.GetTempPath(), Token));
        Assert.StartsWith("There was no tenant ", gone.Message, StringComparison.Ordinal);
        await live.GetCollection<BsonDocument>(CollectionNames.Migrations).InsertOneAsync(
            new BsonDocument { ["_id"] = "0099_later", ["state"] = "applied" }, null, Token);
        var differs = await Assert.ThrowsAsync<BackupException>(() => restore.PlanAsync(Path.GetTempPath(), Token));
        Assert.Contains("0099_later", differs.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_encrypted_comes_back_only_where_the_key_is_that_it_was_encrypted_with(bool ofTenant)
    {
        BackupFixture.Require();
        var (live, copy) = (fixture.Set.NewDatabase(), fixture.Set.NewDatabase());
        foreach (var database in (IMongoDatabase[])[live, copy])
        {
            await database.CreateCollectionAsync(CollectionNames.Customers, null, Token);
        }

        var tenant = await TenantAsync(copy, "hit", 1);
        await TenantAsync(live, "hit", 1, tenant);
        var restore = new InPlaceRestore(live, copy, ofTenant ? RestoreScope.OfTenant(tenant) : RestoreScope.OfCollection(CollectionNames.Customers));

        // As in databases of before there were keys; and a key that nothing is encrypted with.
        await TakenAsync(restore);
        var (key, other) = (Key(), Key());
        await copy.GetCollection<BsonDocument>(CollectionNames.KeyVault).InsertOneAsync(key, null, Token);
        await TakenAsync(restore);

        byte[] ciphertext = [1, .. key["_id"].AsBsonBinaryData.Bytes, 2, .. new byte[64]];
        var customer = new BsonDocument
        {
            ["_id"] = ObjectId.GenerateNewId(), ["tenantId"] = tenant, ["email"] = new BsonBinaryData(ciphertext, BsonBinarySubType.Encrypted),
        };
        await copy.GetCollection<BsonDocument>(CollectionNames.Customers).InsertOneAsync(customer, null, Token);
        var keys = live.GetCollection<BsonDocument>(CollectionNames.KeyVault);
        await RefusedAsync("has no more, so that nobody could read it: open the copy with 'backup restore --serve' and first bring back the key");
        await keys.InsertOneAsync(other, null, Token);
        await RefusedAsync("has no more, but another one of that tenant");

        // Nothing else needs it.
        await TakenAsync(new InPlaceRestore(live, copy, RestoreScope.OfCollection(CollectionNames.Products)));

        await keys.DeleteOneAsync(new BsonDocument("_id", other["_id"]), Token);
        await keys.InsertOneAsync(key, null, Token);
        using var plan = await restore.PlanAsync(Path.GetTempPath(), Token);
        Assert.Equal(0, await restore.ApplyAsync(plan, Token));
        Assert.Equal(customer, await live.GetCollection<BsonDocument>(CollectionNames.Customers).Find(new BsonDocument()).SingleAsync(Token));

        BsonDocument Key() => new()
        {
            ["_id"] = new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard), ["keyAltNames"] = new BsonArray { FieldEncryption.NameOf(tenant) },
        };

        async Task TakenAsync(InPlaceRestore taken) => (await taken.PlanAsync(Path.GetTempPath(), Token)).Dispose();

        async Task RefusedAsync(string sentence)
        {
            var refused = await Assert.ThrowsAsync<BackupException>(() => restore.PlanAsync(Path.GetTempPath(), Token));
            Assert.Equal(ExitCodes.Refused, refused.ExitCode);
            Assert.StartsWith($"What tenant {tenant} had at that moment is encrypted with a key ", refused.Message, StringComparison.Ordinal);
            Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_collection_is_either_restored_or_said_not_to_be()
    {
        Assert.Equal(
            [CollectionNames.Categories, CollectionNames.Customers, CollectionNames.Inventory, CollectionNames.Orders, CollectionNames.Products,
                CollectionNames.Stores, CollectionNames.Tenants, CollectionNames.Users],
            RestoreScope.OfTenants.Order(StringComparer.Ordinal));
        Assert.Equal([CollectionNames.InventoryEvents, CollectionNames.SaleEvents], RestoreScope.NotRestored.Order(StringComparer.Ordinal));
    }

    private static long Number(System.Text.Json.JsonElement changes, string name) => changes.GetProperty(name).GetInt64();

    private static async Task<ObjectId> TenantAsync(IMongoDatabase database, string slug, int seed, ObjectId? id = null)
    {
        var random = new Random(seed);
        var tenant = id ?? ObjectId.GenerateNewId();
        await database.GetCollection<BsonDocument>(CollectionNames.Tenants).InsertOneAsync(
            new BsonDocument { ["_id"] = tenant, ["slug"] = slug, ["name"] = slug, ["status"] = "active" }, null, Token);
        foreach (var name in s_collections)
        {
            var documents = Enumerable.Range(0, 250).Select(_ => New(tenant, random)).ToList();
            await database.GetCollection<BsonDocument>(name).InsertManyAsync(documents, null, Token);
        }

        return tenant;
    }

    private static BsonDocument New(ObjectId tenant, Random random)
    {
        var key = new byte[12];
        random.NextBytes(key);
        return new BsonDocument
        {
            ["_id"] = new ObjectId(key), ["tenantId"] = tenant, ["price"] = new BsonDecimal128(random.Next(1, 1_000_000)),
            ["text"] = new string((char)('a' + random.Next(26)), random.Next(200)),
        };
    }

    private static async Task<string> HashesAsync(IMongoDatabase database, ObjectId tenant)
    {
        var hash = new List<byte>();
        foreach (var name in s_collections)
        {
            var documents = await database.GetCollection<BsonDocument>(name).Find(new BsonDocument("tenantId", tenant)).Sort(new BsonDocument("_id", 1))
                .ToListAsync(Token);
            documents.ForEach(document => hash.AddRange(SHA256.HashData(document.ToBson())));
        }

        return Convert.ToHexString(SHA256.HashData(hash.ToArray()));
    }
}
