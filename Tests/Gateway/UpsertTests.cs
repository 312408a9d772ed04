using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Upserts that meet on a document that does not exist yet: one inserts it, the others update it.</summary>
[Collection(CommandsCollection.Name)]
public sealed class UpsertTests(GatewayFixture gateway)
{
    private const int Rounds = 20, Callers = 12;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_findAndModify_at_once_one_inserts_and_all_see_its_document()
    {
        gateway.Require();
        var documents = await CollectionAsync();
        var options = new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true, ReturnDocument = ReturnDocument.After };

        for (var round = 0; round < Rounds; round++)
        {
            var id = round;
            var seen = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => documents.FindOneAndUpdateAsync<BsonDocument>(
                new BsonDocument("_id", id),
                new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(
                    [new BsonDocument("$set", new BsonDocument("owner", new BsonDocument("$ifNull", new BsonArray { "$owner", caller })))]),
                options,
                Cancel)));

            Assert.Single(seen.Select(document => document["owner"].AsInt32).Distinct());
        }
    }

    [Fact]
    public async Task Of_updates_at_once_one_inserts_and_none_is_lost()
    {
        gateway.Require();
        var documents = await CollectionAsync();

        for (var round = 0; round < Rounds; round++)
        {
            var id = round;
            var results = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => documents.UpdateOneAsync(
                new BsonDocument("_id", id), Builders<BsonDocument>.Update.Inc("count", 1), new UpdateOptions { IsUpsert = true }, Cancel)));

            Assert.Single(results, result => result.UpsertedId is not null);
            Assert.Equal(Callers, (await documents.Find(new BsonDocument("_id", id)).SingleAsync(Cancel))["count"].AsInt32);
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(300)] // More than there are locks for.
    public async Task Of_bulk_writes_at_once_each_upsert_counts(int ids)
    {
        gateway.Require();
        var documents = await CollectionAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => documents.BulkWriteAsync(
            // Each in another order, so that the callers would wait for each other if the turns were not taken in one.
            Enumerable.Range(0, ids).OrderBy(id => (id * 7 + caller * 11) % ids).Select(id => new UpdateOneModel<BsonDocument>(
                new BsonDocument("_id", id), Builders<BsonDocument>.Update.Inc("count", 1)) { IsUpsert = true }),
            null,
            Cancel)));

        Assert.Equal(ids, results.Sum(r => r.Upserts.Count));
        Assert.Equal(ids * Callers, (await documents.Find("{}").ToListAsync(Cancel)).Sum(d => d["count"].AsInt32));
    }

    [Fact]
    public async Task Of_a_large_bulk_write_and_single_ones_at_once_each_upsert_counts()
    {
        gateway.Require();
        var documents = await CollectionAsync();
        const int ids = 200;
        var increment = Builders<BsonDocument>.Update.Inc("count", 1);
        var upsert = new UpdateOptions { IsUpsert = true };

        var bulk = documents.BulkWriteAsync(
            Enumerable.Range(0, ids).Select(id => new UpdateOneModel<BsonDocument>(new BsonDocument("_id", id), increment) { IsUpsert = true }), null, Cancel);
        var single =
            await Task.WhenAll(Enumerable.Range(0, ids).Select(id => documents.UpdateOneAsync(new BsonDocument("_id", id), increment, upsert, Cancel)));

        Assert.Equal(ids, (await bulk).Upserts.Count + single.Count(result => result.UpsertedId is not null));
        Assert.All(await documents.Find("{}").ToListAsync(Cancel), document => Assert.Equal(2, document["count"].AsInt32));
    }

    [Theory]
    [InlineData("update")]
    [InlineData("replace")]
    [InlineData("findAndModify")]
    [InlineData("pipeline")]
    public async Task One_that_waits_for_an_insert_changes_what_was_inserted(string kind)
    {
        gateway.Require();
        var documents = await CollectionAsync();
        var id = new BsonDocument("_id", 1);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.InsertOneAsync(session, new BsonDocument { { "_id", 1 }, { "count", 1 } }, null, Cancel);

        var increment = Builders<BsonDocument>.Update.Inc("count", 1).SetOnInsert("upserted", true);
        var findOptions = new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true, ReturnDocument = ReturnDocument.After };
        Task waiting = kind switch
        {
            "update" => documents.UpdateOneAsync(id, increment, new UpdateOptions { IsUpsert = true }, Cancel),
            "replace" => documents.ReplaceOneAsync(id, new BsonDocument { { "_id", 1 }, { "count", 2 } }, new ReplaceOptions { IsUpsert = true }, Cancel),
            "findAndModify" => documents.FindOneAndUpdateAsync(id, increment, findOptions, Cancel),
            _ => documents.FindOneAndUpdateAsync(
                id,
                new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(
                    [new BsonDocument("$set", new BsonDocument(
                        "count", new BsonDocument("$add", new BsonArray { new BsonDocument("$ifNull", new BsonArray { "$count", 100 }), 1 })))]),
                findOptions,
                Cancel),
        };
        await UntilSomebodyWaitsForALockAsync();
        await session.CommitTransactionAsync(Cancel);
        await waiting;

        // What the reply says is another matter: see docs/gateway.md.
        Assert.Equal(new BsonDocument { { "_id", 1 }, { "count", 2 } }, await documents.Find("{}").SingleAsync(Cancel));
    }

    private async Task UntilSomebodyWaitsForALockAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            var running = await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("currentOp", 1), null, patience.Token);
            if (running["inprog"].AsBsonArray.Any(op => op.AsBsonDocument.GetValue("waitingForLock", false).ToBoolean()))
            {
                return;
            }
        }
    }

    // Made beforehand: the first insert of a new collection takes its turn anyway.
    private async Task<IMongoCollection<BsonDocument>> CollectionAsync()
    {
        var database = gateway.NewDatabase();
        await database.CreateCollectionAsync("c", null, Cancel);
        return database.GetCollection<BsonDocument>("c");
    }
}
