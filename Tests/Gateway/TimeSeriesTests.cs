using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Time series, which the stand-in keeps as plain collections, take and refuse what those of a server do.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/v7.0/core/timeseries/timeseries-limitations/"/></remarks>
[Collection(CommandsCollection.Name)]
public sealed class TimeSeriesTests(GatewayFixture gateway, OtherGateway other) : IClassFixture<OtherGateway>
{
    private const string NotMeta = "Cannot perform an update or delete on a time-series collection when querying on a field that is not the metaField 'm'";

    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{ insert: 's', documents: [{ m: 1 }] }", 2, "'t' must be present and contain a valid BSON UTC datetime value")]
    [InlineData(
        "{ insert: 's', documents: [{ t: 1, m: 1 }], bypassDocumentValidation: true }", 2, "'t' must be present and contain a valid BSON UTC datetime value")]
    [InlineData("{ update: 's', updates: [{ q: { m: 1 }, u: { $set: { m: 2 } } }] }", 72, "Cannot perform a non-multi update on a time-series collection")]
    [InlineData(
        "{ update: 's', updates: [{ q: { m: 9 }, u: { $set: { m: 2 } }, multi: true, upsert: true }] }", 72,
        "Cannot perform an upsert on a time-series collection")]
    [InlineData("{ update: 's', updates: [{ q: { v: 1 }, u: { $set: { m: 2 } }, multi: true }] }", 72, NotMeta)]
    [InlineData("{ update: 's', updates: [{ q: { $or: [{ m: 1 }, { 'v.w': 1 }] }, u: { $set: { m: 2 } }, multi: true }] }", 72, NotMeta)]
    [InlineData("{ update: 's', updates: [{ q: { $jsonSchema: { required: ['v'] } }, u: { $set: { m: 2 } }, multi: true }] }", 72, NotMeta)]
    [InlineData(
        "{ update: 's', updates: [{ q: { $expr: { $eq: ['$m', 1] } }, u: { $set: { m: 2 } }, multi: true }] }", 72,
        "Cannot use $expr when performing an update or delete on a time-series collection")]
    [InlineData(
        "{ update: 's', updates: [{ q: { m: 1 }, u: { $set: { m: 2, v: 2 } }, multi: true }] }", 72,
        "Cannot perform an update on a time-series collection which updates a field that is not the metaField 'm'")]
    [InlineData(
        "{ update: 's', updates: [{ q: { m: 1 }, u: { $rename: { m: 'v' } }, multi: true }] }", 72,
        "Cannot perform an update on a time-series collection which updates a field that is not the metaField 'm'")]
    [InlineData(
        "{ update: 's', updates: [{ q: { m: 1 }, u: [{ $set: { m: 2 } }], multi: true }] }", 72,
        "Cannot perform an update on a time-series collection using a pipeline update")]
    [InlineData(
        "{ update: 's', updates: [{ q: { m: 1 }, u: { m: 2 }, multi: true }] }", 72,
        "Cannot perform an update on a time-series collection using a replacement document")]
    [InlineData(
        "{ update: 'bare', updates: [{ q: { }, u: { $set: { m: 2 } }, multi: true }] }", 72,
        "Cannot perform an update on a time-series collection that does not have a metaField")]
    [InlineData(
        "{ bulkWrite: 1, nsInfo: [{ ns: 'DB.s' }], ops: [{ update: 0, filter: { m: 1 }, updateMods: { $set: { v: 2 } }, multi: true }] }", 72,
        "Cannot perform an update on a time-series collection which updates a field that is not the metaField 'm'")]
    [InlineData("{ findAndModify: 's', query: { m: 1 }, update: { $set: { m: 2 } } }", 72, "Cannot perform a non-multi update on a time-series collection")]
    [InlineData(
        "{ createIndexes: 's', indexes: [{ key: { m: 1 }, name: 'i', unique: true }] }", 72, "Unique indexes are not supported on time-series collections")]
    [InlineData("{ createIndexes: 's', indexes: [{ key: { m: 'text' }, name: 'i' }] }", 72, "Text indexes are not supported on time-series collections")]
    [InlineData(
        "{ createIndexes: 's', indexes: [{ key: { v: 1 }, name: 'i', sparse: true }] }", 72, "Sparse indexes are not supported on time-series measurements")]
    [InlineData(
        "{ createIndexes: 's', indexes: [{ key: { t: 1 }, name: 'i', expireAfterSeconds: 9 }] }", 72,
        "TTL indexes on time-series collections require a partialFilterExpression on the metaField")]
    [InlineData(
        "{ createIndexes: 's', indexes: [{ key: { v: 1 }, name: 'i', expireAfterSeconds: 9, partialFilterExpression: { m: 1 } }] }", 72,
        "TTL indexes on non-time fields are not supported on time-series collections")]
    [InlineData("{ renameCollection: 'DB.s', to: 'DB.x' }", 20, "Renaming a timeseries collection is not allowed")]
    [InlineData("{ aggregate: 'other', pipeline: [{ $merge: 's' }], cursor: { } }", 51183, "Cannot find index to verify that join fields will be unique")]
    [InlineData(
        "{ aggregate: 'other', pipeline: [{ $out: 's' }], cursor: { } }", 7406100,
        "$out to time-series collections is only supported on FCV greater than or equal to 7.1")]
    public async Task What_a_server_refuses_of_a_time_series_is_refused_with_its_code_and_words_and_changes_nothing(string text, int code, string message)
    {
        var database = await SeriesAsync();
        var name = database.DatabaseNamespace.DatabaseName;
        var command = BsonDocument.Parse(text.Replace("DB", name, StringComparison.Ordinal));
        var before = await ReadAsync(database);

        foreach (var port in (int[])[gateway.Port, other.Port])
        {
            await using var client = await WireClient.ConnectAsync(port, Cancel);
            await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
            var sent = (BsonDocument)command.DeepClone();
            sent.Add("$db", sent.GetElement(0).Name is "renameCollection" or "bulkWrite" ? "admin" : name);
            var reply = await client.CommandAsync(sent, Cancel);
            var error = reply.TryGetValue("writeErrors", out var errors) ? errors[0].AsBsonDocument
                : reply.TryGetValue("nErrors", out var count) && count == 1 ? reply["cursor"]["firstBatch"][0].AsBsonDocument : reply;
            Assert.Equal((code, message), (error.GetValue("code", 0).ToInt32(), error.GetValue("errmsg", reply.ToString()).AsString));
        }

        Assert.Equal(before, await ReadAsync(database));
    }

    [Theory]
    [InlineData("{ insert: 's', documents: [{ t: DATE, m: 1 }] }", "Cannot insert into a time-series collection in a multi-document transaction: DB.s")]
    [InlineData(
        "{ update: 's', updates: [{ q: { m: 1 }, u: { $set: { m: 2 } }, multi: true }] }",
        "Cannot perform a multi update inside of a multi-document transaction on a time-series collection: DB.s")]
    [InlineData(
        "{ delete: 's', deletes: [{ q: { m: 1 }, limit: 0 }] }",
        "Cannot perform a multi delete inside of a multi-document transaction on a time-series collection: DB.s")]
    [InlineData(
        "{ findAndModify: 's', query: { m: 1 }, remove: true }",
        "Cannot perform a findAndModify inside of a multi-document transaction on a time-series collection: DB.s")]
    [InlineData("{ create: 'n', timeseries: { timeField: 't' } }", "Cannot create a time-series collection in a multi-document transaction.")]
    public async Task No_transaction_writes_to_a_time_series(string text, string message)
    {
        var database = await SeriesAsync();
        var before = await ReadAsync(database);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        // Its snapshot is that of its first command.
        await database.GetCollection<BsonDocument>("other").InsertOneAsync(session, [], null, Cancel);
        var command = BsonDocument.Parse(text.Replace("DATE", "ISODate('2026-01-01')", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<MongoCommandException>(() => database.RunCommandAsync<BsonDocument>(session, command, null, Cancel));
        Assert.Equal(263, refused.Code);
        Assert.Contains(message.Replace("DB", database.DatabaseNamespace.DatabaseName, StringComparison.Ordinal), refused.Message, StringComparison.Ordinal);
        await session.AbortTransactionAsync(Cancel);
        Assert.Equal(before, await ReadAsync(database));
        Assert.Empty(await (await database.ListCollectionNamesAsync(new() { Filter = new BsonDocument("name", "n") }, Cancel)).ToListAsync(Cancel));
    }

    [Fact]
    public async Task Statistics_of_a_time_series_do_not_count_documents_and_counts_do()
    {
        var database = await SeriesAsync();
        var series = database.GetCollection<BsonDocument>("s");
        var statistics = await database.RunCommandAsync<BsonDocument>(new BsonDocument("collStats", "s"), null, Cancel);
        var stage = await series.Aggregate().AppendStage<BsonDocument>("{ $collStats: { storageStats: { } } }").SingleAsync(Cancel);
        foreach (var told in (BsonDocument[])[statistics, stage["storageStats"].AsBsonDocument])
        {
            Assert.True(told["size"].ToInt64() > 0);
            Assert.False(told.Contains("count") || told.Contains("avgObjSize"), told.ToString());
        }

        Assert.Equal((3, 3), (await series.EstimatedDocumentCountAsync(null, Cancel), await series.CountDocumentsAsync("{}", null, Cancel)));
        var plain = await database.RunCommandAsync<BsonDocument>(new BsonDocument("collStats", "other"), null, Cancel);
        Assert.True(plain.Contains("count"));
    }

    [Fact]
    public async Task A_collection_that_takes_the_place_of_a_time_series_is_a_plain_one_at_once()
    {
        var database = await SeriesAsync();
        await database.DropCollectionAsync("s", Cancel);
        var plain = database.GetCollection<BsonDocument>("s");
        await plain.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        await Assert.ThrowsAsync<MongoWriteException>(() => plain.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel));
        Assert.Equal(1, (await plain.UpdateOneAsync("{ _id: 1 }", "{ $set: { v: 1 } }", null, Cancel)).ModifiedCount);
    }

    [Fact]
    public async Task A_time_series_does_over_generated_commands_what_a_list_of_measurements_does()
    {
        for (var seed = 1; seed <= 6; seed++)
        {
            var database = await SeriesAsync();
            var model = new TimeSeriesModel(seed, await ReadAsync(database));
            for (var i = 0; i < 40; i++)
            {
                var command = model.Next();
                var reply = await database.RunCommandAsync<BsonDocument>(new BsonDocumentCommand<BsonDocument>(command), null, Cancel);
                var outcome = TimeSeriesModel.Outcome(reply);
                Assert.True(model.Expected == outcome, $"Seed {seed}, {i}: {command} was answered {outcome} instead of {model.Expected}.");
                Assert.Equal(model.Documents.OrderBy(d => d["v"].AsInt32), await ReadAsync(database));
            }
        }
    }

    private static async Task<List<BsonDocument>> ReadAsync(IMongoDatabase database) =>
        await database.GetCollection<BsonDocument>("s").Find("{}").Sort("{ v: 1 }").ToListAsync(Cancel);

    private async Task<IMongoDatabase> SeriesAsync()
    {
        var database = gateway.NewDatabase();
        await database.RunCommandAsync<BsonDocument>(BsonDocument.Parse("{ create: 's', timeseries: { timeField: 't', metaField: 'm' } }"), null, Cancel);
        await database.RunCommandAsync<BsonDocument>(BsonDocument.Parse("{ create: 'bare', timeseries: { timeField: 't' } }"), null, Cancel);
        await database.GetCollection<BsonDocument>("other").InsertOneAsync(new BsonDocument { { "t", s_start }, { "m", 5 } }, null, Cancel);
        await database.GetCollection<BsonDocument>("bare").InsertOneAsync(new BsonDocument("t", s_start), null, Cancel);
        await database.GetCollection<BsonDocument>("s").InsertManyAsync(
            Enumerable.Range(1, 3).Select(i => new BsonDocument { { "_id", 1 }, { "t", s_start.AddMinutes(i) }, { "m", i }, { "v", i } }), null, Cancel);
        return database;
    }
}
