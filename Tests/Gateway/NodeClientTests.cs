using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The Node.js driver and migrate-mongo.</summary>
[Collection(CommandsCollection.Name)]
public sealed class NodeClientTests(GatewayFixture gateway)
{
    private static readonly string[] s_migrateMongo = [NodeTools.Program("migrate-mongo", "migrate-mongo.js")];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_Node_driver_passes_its_script()
    {
        gateway.Require();
        NodeTools.Require("mongodb");
        var (exit, output, errors) = await NodeTools.RunAsync(
            [NodeTools.Script("node-driver.js"), gateway.ConnectionString, "node" + Guid.NewGuid().ToString("N")]);
        Assert.True(exit == 0, $"The script ended with {exit}:{Environment.NewLine}{output}{errors}");
        Assert.Equal(24, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Migrate_mongo_creates_applies_lists_and_undoes_a_migration()
    {
        gateway.Require();
        NodeTools.Require("migrate-mongo");
        var directory = Directory.CreateTempSubdirectory("migrate-mongo-");
        try
        {
            var name = "migrate" + Guid.NewGuid().ToString("N");
            var database = gateway.Client.GetDatabase(name);
            await RunAsync(directory, "init");
            await File.WriteAllTextAsync(
                Path.Combine(directory.FullName, "migrate-mongo-config.js"),
                $$"""
                module.exports = {
                  mongodb: { url: {{System.Text.Json.JsonSerializer.Serialize(gateway.ConnectionString)}}, databaseName: '{{name}}', options: {} },
                  migrationsDir: 'migrations', changelogCollectionName: 'changelog', lockCollectionName: 'changelog_lock', lockTtl: 60,
                  migrationFileExtension: '.js', useFileHash: true, moduleSystem: 'commonjs',
                };
                """,
                Cancel);

            var created = await RunAsync(directory, "create", "add-stock");
            var file = Directory.GetFiles(Path.Combine(directory.FullName, "migrations")).Single(f => f.EndsWith("-add-stock.js", StringComparison.Ordinal));
            Assert.Contains(Path.GetFileName(file), created, StringComparison.Ordinal);
            await File.WriteAllTextAsync(
                file,
                """
                module.exports = {
                  async up(db, client) {
                    await db.createCollection('stock', { validator: { $jsonSchema: { required: ['n'], additionalProperties: false, properties: { _id: {}, n: { bsonType: 'number' } } } } });
                    await db.collection('stock').createIndex({ n: 1 });
                    await client.withSession(session => session.withTransaction(async () => {
                      await db.collection('stock').insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 2 }], { session });
                    }));
                    await db.collection('stock').updateMany({}, [{ $set: { n: { $multiply: ['$n', 10] } } }]);
                  },
                  async down(db) { await db.collection('stock').drop(); },
                };
                """,
                Cancel);

            Assert.Contains("PENDING", await RunAsync(directory, "status"), StringComparison.Ordinal);
            Assert.Contains("MIGRATED UP", await RunAsync(directory, "up"), StringComparison.Ordinal);
            var stock = database.GetCollection<BsonDocument>("stock");
            Assert.Equal(
                [10, 20],
                (await stock.Find("{}").Sort("{ _id: 1 }").ToListAsync(Cancel)).Select(d => d["n"].ToInt32()));
            Assert.DoesNotContain("PENDING", await RunAsync(directory, "status"), StringComparison.Ordinal);
            Assert.Contains("MIGRATED DOWN", await RunAsync(directory, "down"), StringComparison.Ordinal);
            Assert.Contains("PENDING", await RunAsync(directory, "status"), StringComparison.Ordinal);
            Assert.DoesNotContain("stock", await (await database.ListCollectionNamesAsync(null, Cancel)).ToListAsync(Cancel));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<string> RunAsync(DirectoryInfo directory, params string[] arguments)
    {
        var (exit, output, errors) = await NodeTools.RunAsync(s_migrateMongo.Concat(arguments), directory.FullName);
        Assert.True(exit == 0, $"migrate-mongo {arguments[0]} ended with {exit}:{Environment.NewLine}{output}{errors}");
        return output;
    }
}
