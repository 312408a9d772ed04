using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary><c>migrator sharding</c> on a server that is no mongos: it says so, and changes nothing.</summary>
public sealed class ShardingCommandTests(MongoServer server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replica_set_is_told_from_a_cluster_and_left_alone()
    {
        var database = server.NewDatabase();
        Assert.Contains(
            "has no collection", (await RunAsync(database, "sharding plan")).Expect(ExitCodes.Success).Output, StringComparison.Ordinal);
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        var indexes = await IndexesAsync(database);

        var status = (await RunAsync(database, "sharding status")).Expect(ExitCodes.Success);
        Assert.StartsWith("This server is a replica set and no sharded cluster: nothing is distributed.", status.Output, StringComparison.Ordinal);
        var plan = (await RunAsync(database, "sharding plan --json")).Expect(ExitCodes.Success).Json;
        Assert.False(plan.GetProperty("isCluster").GetBoolean());
        Assert.Equal(9, plan.GetProperty("steps").EnumerateArray().Count(step => step.GetProperty("kind").GetString() == "shard"));
        var refused = (await RunAsync(database, "sharding apply")).Expect(ExitCodes.Refused);
        Assert.Equal(
            "migrator: This server is a replica set and no sharded cluster: nothing is distributed. 'sharding apply' needs the connection string of a mongos.",
            refused.Sentence);
        Assert.Equal(indexes, await IndexesAsync(database));
        Assert.Contains(
            "Sharding:Regions:eu:Shards must name the shards",
            (await JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), "sharding plan", Token, ("Sharding__Regions__eu__Tenants__0", "acme")))
                .Expect(ExitCodes.Configuration).Errors,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tenants_of_the_database_are_simulated()
    {
        var database = server.NewDatabase();
        Assert.Contains("has no tenants", (await RunAsync(database, "sharding simulate")).Expect(ExitCodes.Refused).Errors, StringComparison.Ordinal);
        await new ShopData(products: 400, others: 400).LoadAsync(database, Token);
        var report = (await RunAsync(database, "sharding simulate --add-shards 2 --json")).Expect(ExitCodes.Success).Json;
        var tenants = await database.GetCollection<BsonDocument>("tenants").CountDocumentsAsync("{}", cancellationToken: Token);
        Assert.Equal(tenants, report.GetProperty("tenants").GetInt64());
        Assert.Equal(3, report.GetProperty("shards").GetArrayLength());
        Assert.Equal(0, report.GetProperty("migrations").GetInt32()); // far less than three ranges
        var products = report.GetProperty("collections").EnumerateArray().Single(row => row.GetProperty("collection").GetString() == "products");
        Assert.InRange(products.GetProperty("megabytes").GetDouble(), 0.05, 5);
        var wrong = (await RunAsync(database, "sharding simulate --drain shard1")).Expect(ExitCodes.Usage);
        Assert.Equal("migrator: All shards would be drained: nothing is left to take the data.", wrong.Sentence);
    }

    [Fact]
    public async Task Test_shard_key_is_optimal_for_the_data_that_is_there()
    {
        var database = server.NewDatabase();
        await new ShopData(products: 1500, others: 1500).LoadAsync(database, Token);
        var report = (await RunAsync(database, "sharding advise --fail --json")).Expect(ExitCodes.Success).Json;
        var collections = report.GetProperty("collections").EnumerateArray().ToList();
        Assert.Equal(9, collections.Count);
        foreach (var collection in collections)
        {
            var keys = collection.GetProperty("keys").EnumerateArray().ToList();
            Assert.True(keys[0].GetProperty("isDeclared").GetBoolean());
            Assert.True(keys.Count > 3);
            Assert.All(keys.Skip(1), key => Assert.True(
                key.GetProperty("against").GetArrayLength() > 0 || key.GetProperty("cost").GetDouble() == 0, key.GetProperty("key").GetString()));
        }

        var text = (await RunAsync(database, "sharding advise --collection orders --key placedAt:hashed --sample 500")).Expect(ExitCodes.Success).Output;
        Assert.Contains("judged by 500 of them", text, StringComparison.Ordinal);
        Assert.Contains("{ \"placedAt\" : \"hashed\" }", text, StringComparison.Ordinal);
        Assert.Contains("The declared keys are the best of those that were judged.", text, StringComparison.Ordinal);
        Assert.Equal(
            "migrator: --key is judged for one collection: name it with --collection.",
            (await RunAsync(database, "sharding advise --key _id:1")).Expect(ExitCodes.Usage).Sentence);
        Assert.StartsWith(
            "migrator: 'tenants' is not sharded; there are users,",
            (await RunAsync(database, "sharding advise --collection tenants")).Expect(ExitCodes.Usage).Sentence,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "migrator: The server records no queries of orders:",
            (await RunAsync(database, "sharding advise --collection orders --record-queries 5")).Expect(ExitCodes.Refused).Sentence,
            StringComparison.Ordinal);
    }

    private static async Task<List<string>> IndexesAsync(IMongoDatabase database)
    {
        var all = new List<string>();
        foreach (var name in (await (await database.ListCollectionNamesAsync(cancellationToken: Token)).ToListAsync(Token)).Order(StringComparer.Ordinal))
        {
            var indexes = await (await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(Token)).ToListAsync(Token);
            all.AddRange(indexes.Select(index => $"{name} {index}"));
        }

        return all;
    }

    private Task<ProgramResult> RunAsync(IMongoDatabase database, string arguments) =>
        JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), arguments, Token);
}
