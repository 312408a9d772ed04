using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The first writes to a collection make it. Many that come at once make it together, and none of them hears of it.</summary>
[Collection(CommandsCollection.Name)]
public sealed class FirstWriteTests(GatewayFixture gateway)
{
    private const int Clients = 16;

    private static readonly string[] Kinds = ["insert", "many", "upsert", "replace", "findAndModify", "bulkWrite", "transaction", "two in a transaction"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, 64)]
    [InlineData(true, 10)]
    public async Task A_thousand_of_sixteen_clients_at_once_in_and_out_of_transactions_all_arrive(bool databaseIsNew, int rounds)
    {
        gateway.Require();
        var clients = new List<MongoClient>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                // Each with a cluster, and so with connections, of its own.
                clients.Add(new MongoClient(gateway.ConnectionString + $"&appName=client{i}"));
                await clients[i].GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), cancellationToken: Cancel);
            }

            var name = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
            if (!databaseIsNew)
            {
                await gateway.Client.GetDatabase(name).CreateCollectionAsync("there", null, Cancel);
            }

            for (var round = 0; round < rounds; round++)
            {
                // With a new database its very first collection is made by several, too.
                var database = databaseIsNew ? $"{name}{round}" : name;
                var collection = $"c{round}";
                using var start = new Barrier(Clients);
                await Task.WhenAll(clients.Select((client, i) => Task.Run(
                    () =>
                    {
                        start.SignalAndWait(Cancel);
                        return WriteAsync(client.GetDatabase(database), collection, Kinds[(i + round) % Kinds.Length], i);
                    },
                    Cancel)));

                var written = await gateway.Client.GetDatabase(database).GetCollection<BsonDocument>(collection).Find("{}").ToListAsync(Cancel);
                Assert.Equal(Enumerable.Range(0, Clients), written.Select(document => document["_id"].AsInt32).Order());
                if (databaseIsNew)
                {
                    await gateway.Client.DropDatabaseAsync(database, Cancel);
                }
            }
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task Creations_of_the_same_collection_at_once_end_as_one_and_the_others_hear_that_it_is_there()
    {
        gateway.Require();
        for (var round = 0; round < 20; round++)
        {
            var (database, name) = (gateway.NewDatabase(), "c");
            var errors = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(
                async () =>
                {
                    try
                    {
                        await database.CreateCollectionAsync(name, null, Cancel);
                        return null;
                    }
                    catch (MongoCommandException e)
                    {
                        return e;
                    }
                },
                Cancel)));

            Assert.All(errors.OfType<MongoCommandException>(), error => Assert.Equal((48, "NamespaceExists"), (error.Code, error.CodeName)));
            Assert.Contains(null, errors);
            Assert.Single(await (await database.ListCollectionNamesAsync(null, Cancel)).ToListAsync(Cancel), listed => listed == name);
        }
    }

    [Fact]
    public async Task Indexes_of_a_collection_that_others_make_at_the_same_time_are_all_made()
    {
        gateway.Require();
        for (var round = 0; round < 10; round++)
        {
            var collection = gateway.NewDatabase().GetCollection<BsonDocument>("c");
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => Task.Run(
                () => i % 2 == 0
                    ? collection.InsertOneAsync(new BsonDocument("_id", i), null, Cancel)
                    : collection.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument($"f{i % 4}", 1)), null, Cancel),
                Cancel)));

            var indexes = await (await collection.Indexes.ListAsync(Cancel)).ToListAsync(Cancel);
            Assert.Equal(["_id_", "f1_1", "f3_1"], indexes.Select(index => index["name"].AsString).Order(StringComparer.Ordinal));
            Assert.Equal(Clients / 2, await collection.CountDocumentsAsync("{}", null, Cancel));
        }
    }

    private static async Task WriteAsync(IMongoDatabase database, string name, string kind, int id)
    {
        var collection = database.GetCollection<BsonDocument>(name);
        var (key, document) = (new BsonDocument("_id", id), new BsonDocument { { "_id", id }, { "kind", kind } });
        var set = new BsonDocument("$set", new BsonDocument("kind", kind));
        switch (kind)
        {
            case "insert":
                await collection.InsertOneAsync(document, null, Cancel);
                break;
            case "many":
                await collection.InsertManyAsync([document], null, Cancel);
                break;
            case "upsert":
                await collection.UpdateOneAsync(key, set, new UpdateOptions { IsUpsert = true }, Cancel);
                break;
            case "replace":
                await collection.ReplaceOneAsync(key, document, new ReplaceOptions { IsUpsert = true }, Cancel);
                break;
            case "findAndModify":
                await collection.FindOneAndUpdateAsync<BsonDocument>(key, set, new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true }, Cancel);
                break;
            case "bulkWrite":
                await collection.BulkWriteAsync(
                    [new InsertOneModel<BsonDocument>(document), new UpdateOneModel<BsonDocument>(key, set) { IsUpsert = true }], null, Cancel);
                break;
            default:
                using (var session = await database.Client.StartSessionAsync(null, Cancel))
                {
                    await session.WithTransactionAsync(
                        async (transaction, token) =>
                        {
                            if (kind.StartsWith("two", StringComparison.Ordinal))
                            {
                                var outbox = database.GetCollection<BsonDocument>($"{name}_outbox");
                                await outbox.InsertOneAsync(transaction, new BsonDocument("_id", id), null, token);
                            }

                            await collection.InsertOneAsync(transaction, document, null, token);
                            return true;
                        },
                        null,
                        Cancel);
                }

                break;
        }
    }
}
