using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Wire.Bson;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Pipelines on the real backend: what they write, who may, what explaining them does, and what of a command reaches the backend.</summary>
[Collection(CommandsCollection.Name)]
public sealed class PipelineTests(GatewayFixture gateway)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{ $out: 'x' }")]
    [InlineData("{ $merge: 'x' }")]
    public async Task Explaining_writes_nothing_in_any_form(string stage)
    {
        var database = await DatabaseAsync();
        string[] inner =
        [
            $"{{ aggregate: 'c', pipeline: [{stage}], cursor: {{}} }}", $"{{ aggregate: 'missing', pipeline: [{stage}], cursor: {{}} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $group: {{ _id: '$a' }} }}, {stage}], cursor: {{}} }}",
            $"{{ aggregate: 1, pipeline: [{{ $documents: [{{ a: 1 }}] }}, {stage}], cursor: {{}} }}",
            "{ update: 'x', updates: [{ q: {}, u: { $set: { a: 9 } }, multi: true }] }",
            "{ update: 'x', updates: [{ q: { _id: 'new' }, u: { $set: { a: 9 } }, upsert: true }] }",
            "{ delete: 'x', deletes: [{ q: {}, limit: 0 }] }", "{ findAndModify: 'x', query: {}, remove: true }",
            "{ findAndModify: 'x', query: { _id: 'new' }, update: { a: 1 }, upsert: true }",
            "{ find: 'x' }", "{ count: 'x' }", "{ distinct: 'x', key: 'a' }",
        ];
        foreach (var command in inner)
        {
            foreach (var verbosity in (string[])["queryPlanner", "executionStats", "allPlansExecution"])
            {
                var reply = await database.RunCommandAsync<BsonDocument>($"{{ explain: {command}, verbosity: '{verbosity}' }}", cancellationToken: Cancel);
                Assert.True(reply.Contains("queryPlanner"));
            }
        }

        foreach (var command in inner.Take(4))
        {
            var asked = BsonDocument.Parse(command);
            asked["explain"] = true;
            await database.RunCommandAsync<BsonDocument>(asked, cancellationToken: Cancel);
        }

        Assert.Equal(["old"], await IdsAsync(database, "x"));
        Assert.Equal(["c", "x"], (await (await database.ListCollectionNamesAsync(cancellationToken: Cancel)).ToListAsync(Cancel)).Order());
    }

    [Fact]
    public async Task A_profiled_output_stays_written()
    {
        var database = await DatabaseAsync();
        await database.RunCommandAsync<BsonDocument>("{ profile: 2 }", cancellationToken: Cancel);
        await database.RunCommandAsync<BsonDocument>("{ aggregate: 'c', pipeline: [{ $out: 'x' }], cursor: {} }", cancellationToken: Cancel);
        var profile = database.GetCollection<BsonDocument>("system.profile");
        await Wait.UntilAsync(
            async () => await profile.CountDocumentsAsync("{ 'command.aggregate': 'c', planSummary: { $exists: true } }", null, Cancel) == 1,
            "the aggregation is profiled", Cancel);
        await database.RunCommandAsync<BsonDocument>("{ profile: 0 }", cancellationToken: Cancel);
        Assert.Equal(3, await database.GetCollection<BsonDocument>("x").CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task A_command_that_cannot_be_recorded_has_its_reply()
    {
        var database = await DatabaseAsync();
        await database.RunCommandAsync<BsonDocument>("{ profile: 2 }", cancellationToken: Cancel);
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        // A DBPointer, which no tree of the driver holds.
        byte[] pointer = [2, 0, 0, 0, (byte)'c', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        var name = database.DatabaseNamespace.DatabaseName;
        var command = new BsonBuilder().Add("find"u8, "c").Start("filter"u8).Add("a"u8, (BsonType)0x0C, pointer).End().Add("$db"u8, name).Finish();
        await client.CommandAsync(command, Cancel);
        var reply = await client.CommandAsync(new BsonDocument { { "profile", 0 }, { "$db", name } }, Cancel);
        Assert.Equal(2, reply["was"]);
    }

    [Theory]
    [InlineData("c", "", "1,2,3")]
    [InlineData("missing", "", "")]
    [InlineData("missing", "{ $unionWith: 'c' }", "1,2,3")]
    [InlineData("c", "{ $lookup: { from: 'missing', as: 'm', pipeline: [] } }", "1,2,3")]
    [InlineData("c", "{ $unionWith: { coll: 'missing' } }", "1,2,3")]
    [InlineData("c", "{ $match: { a: 99 } }", "")]
    [InlineData("1", "{ $documents: [] }", "")]
    [InlineData("1", "{ $documents: [{ _id: 7 }, { _id: 8 }] }", "7,8")]
    public async Task An_output_is_what_the_pipeline_returns_wherever_its_documents_come_from(string source, string stages, string ids)
    {
        var database = await DatabaseAsync();
        var from = source == "1" ? "1" : $"'{source}'";
        var before = stages.Length == 0 ? "" : stages + ",";
        await database.RunCommandAsync<BsonDocument>(
            $"{{ aggregate: {from}, pipeline: [{before} {{ $merge: 'x' }}], cursor: {{}} }}", cancellationToken: Cancel);
        Assert.Equal(ids.Split(',', StringSplitOptions.RemoveEmptyEntries).Append("old"), await IdsAsync(database, "x"));
        await database.RunCommandAsync<BsonDocument>($"{{ aggregate: {from}, pipeline: [{before} {{ $out: 'x' }}], cursor: {{}} }}", cancellationToken: Cancel);
        Assert.Equal(ids.Split(',', StringSplitOptions.RemoveEmptyEntries), await IdsAsync(database, "x"));
        Assert.Equal(
            ["_id_", "q_1"],
            (await (await database.GetCollection<BsonDocument>("x").Indexes.ListAsync(Cancel)).ToListAsync(Cancel)).Select(i => i["name"].AsString).Order());
        Assert.Equal(["c", "x"], (await (await database.ListCollectionNamesAsync(cancellationToken: Cancel)).ToListAsync(Cancel)).Order());
    }

    [Fact]
    public async Task An_output_may_replace_or_change_what_it_reads()
    {
        var database = await DatabaseAsync();
        await database.RunCommandAsync<BsonDocument>(
            "{ aggregate: 'c', pipeline: [{ $match: { a: 2 } }, { $out: 'c' }], cursor: {} }", cancellationToken: Cancel);
        Assert.Equal(["2", "3"], await IdsAsync(database, "c"));
        await database.RunCommandAsync<BsonDocument>(
            "{ aggregate: 'c', pipeline: [{ $set: { z: 1 } }, { $merge: 'c' }], cursor: {} }", cancellationToken: Cancel);
        Assert.Equal(2, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync("{ z: 1 }", null, Cancel));
    }

    [Theory]
    [InlineData("{ $out: 'x' }")]
    [InlineData("{ $merge: 'x' }")]
    public async Task A_large_output_arrives_whole_and_a_failed_one_leaves_everything_as_it_was(string stage)
    {
        var database = await DatabaseAsync();
        await database.GetCollection<BsonDocument>("big").InsertManyAsync(
            Enumerable.Range(0, 2_500).Select(i => new BsonDocument { { "_id", i }, { "text", new string('x', 1_000) } }), cancellationToken: Cancel);
        await database.RunCommandAsync<BsonDocument>(
            $"{{ aggregate: 'big', pipeline: [{{ $sort: {{ text: 1 }} }}, {stage}], cursor: {{ batchSize: 0 }} }}", cancellationToken: Cancel);
        Assert.Equal(2_500, await database.GetCollection<BsonDocument>("x").CountDocumentsAsync("{ text: { $exists: true } }", null, Cancel));

        var duplicate = await Assert.ThrowsAsync<MongoCommandException>(() => database.RunCommandAsync<BsonDocument>(
            $"{{ aggregate: 'c', pipeline: [{{ $set: {{ _id: 'same' }} }}, {stage}], cursor: {{}} }}", cancellationToken: Cancel));
        Assert.Equal(11000, duplicate.Code);
        Assert.Contains($"{database.DatabaseNamespace.DatabaseName}.x", duplicate.Message, StringComparison.Ordinal);
        Assert.Equal(new BsonDocument("_id", 1), duplicate.Result["keyPattern"]);
        Assert.Equal(new BsonDocument("_id", "same"), duplicate.Result["keyValue"]);
        Assert.Equal(2_500, await database.GetCollection<BsonDocument>("x").CountDocumentsAsync("{ text: { $exists: true } }", null, Cancel));
        Assert.Equal(["big", "c", "x"], (await (await database.ListCollectionNamesAsync(cancellationToken: Cancel)).ToListAsync(Cancel)).Order());
    }

    [Fact]
    public async Task Who_may_not_write_is_refused_before_anything_runs()
    {
        var database = await DatabaseAsync();
        var user = "reader" + Guid.NewGuid().ToString("N");
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", user }, { "pwd", "secret" }, { "roles", new BsonArray { "readAnyDatabase" } } }, cancellationToken: Cancel);
        using var client = new MongoClient(gateway.ConnectionStringOf(user, "secret"));
        var theirs = client.GetDatabase(database.DatabaseNamespace.DatabaseName);
        var crashes = gateway.Crashes;
        foreach (var stage in (string[])["{ $out: 'x' }", "{ $merge: 'x' }", "{ $out: 'y' }"])
        {
            foreach (var command in (string[])
            [
                $"{{ aggregate: 'c', pipeline: [{stage}], cursor: {{}} }}", $"{{ aggregate: 'missing', pipeline: [{stage}], cursor: {{}} }}",
                $"{{ aggregate: 1, pipeline: [{{ $documents: [] }}, {stage}], cursor: {{}} }}",
                $"{{ explain: {{ aggregate: 'c', pipeline: [{stage}], cursor: {{}} }} }}",
                "{ explain: { delete: 'x', deletes: [{ q: {}, limit: 0 }] } }",
            ])
            {
                Assert.Equal(
                    13, (await Assert.ThrowsAsync<MongoCommandException>(() => theirs.RunCommandAsync<BsonDocument>(command, cancellationToken: Cancel))).Code);
            }
        }

        Assert.Equal(crashes, gateway.Crashes);
        Assert.Equal(["old"], await IdsAsync(database, "x"));
    }

    [Fact]
    public async Task A_replaced_root_keeps_the_id_of_an_upsert_and_changes_no_other()
    {
        var database = await DatabaseAsync();
        var documents = database.GetCollection<BsonDocument>("c");
        var upsert = new UpdateOptions { IsUpsert = true };
        Assert.Equal("given", (await documents.UpdateOneAsync("{ k: 1 }", Pipeline("{ $replaceWith: { _id: 'given', z: 1 } }"), upsert, Cancel)).UpsertedId);
        Assert.Equal("named", (await documents.UpdateOneAsync("{ _id: 'named' }", Pipeline("{ $replaceWith: { z: '$_id' } }"), upsert, Cancel)).UpsertedId);
        Assert.Equal(1, (await documents.UpdateOneAsync(
            "{ _id: 1 }", Pipeline("{ $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', { z: 5 }] } } }"), null, Cancel)).ModifiedCount);
        var changed =
            await Assert.ThrowsAsync<MongoWriteException>(() => documents.UpdateOneAsync("{ _id: 2 }", Pipeline("{ $replaceWith: { _id: 9 } }"), null, Cancel));
        Assert.Equal(66, changed.WriteError.Code);
        Assert.Equal(new BsonDocument { { "_id", 1 }, { "a", 1 }, { "z", 5 } }, await documents.Find("{ _id: 1 }").SingleAsync(Cancel));
        Assert.Equal(new BsonDocument { { "_id", 2 }, { "a", 2 } }, await documents.Find("{ _id: 2 }").SingleAsync(Cancel));
    }

    [Fact]
    public async Task The_pipeline_of_a_view_is_corrected_and_reads_back_as_given()
    {
        var database = await DatabaseAsync();
        var given = new BsonArray { BsonDocument.Parse("{ $match: { a: 99 } }"), BsonDocument.Parse("{ $count: 'n' }") };
        await database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "create", "v" }, { "viewOn", "c" }, { "pipeline", given } }, cancellationToken: Cancel);
        Assert.Empty(await database.GetCollection<BsonDocument>("v").Find("{}").ToListAsync(Cancel));
        Assert.Equal(given, await PipelineAsync());

        given[0] = BsonDocument.Parse("{ $match: { $jsonSchema: { anyOf: [{ properties: { a: { enum: [2] } } }] } } }");
        await database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "collMod", "v" }, { "viewOn", "c" }, { "pipeline", given } }, cancellationToken: Cancel);
        Assert.Equal(2, (await database.GetCollection<BsonDocument>("v").Find("{}").SingleAsync(Cancel))["n"]);
        Assert.Equal(given, await PipelineAsync());
        Assert.Equal(167, (await Assert.ThrowsAsync<MongoCommandException>(() => database.RunCommandAsync<BsonDocument>(
            "{ create: 'w', viewOn: 'c', pipeline: [{ $out: 'x' }] }", cancellationToken: Cancel))).Code);

        async Task<BsonValue> PipelineAsync() => (await (await database.ListCollectionsAsync(
            new ListCollectionsOptions { Filter = new BsonDocument("name", "v") }, Cancel)).SingleAsync(Cancel))["options"]["pipeline"];
    }

    [Fact]
    public async Task Metadata_in_a_projection_keeps_the_other_fields()
    {
        var database = await DatabaseAsync();
        var documents = database.GetCollection<BsonDocument>("t");
        await documents.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{ text: 'text' }"), null, Cancel);
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "text", "one" }, { "z", 1 } }, null, Cancel);
        foreach (var (projection, fields) in ((string, string[])[])
        [
            ("{ s: { $meta: 'textScore' } }", ["_id", "text", "z", "s"]), ("{ s: { $meta: 'textScore' }, z: 0 }", ["_id", "text", "s"]),
            ("{ s: { $meta: 'textScore' }, z: 1 }", ["_id", "z", "s"]), ("{ s: { $meta: 'textScore' }, _id: 0 }", ["text", "z", "s"]),
        ])
        {
            var found = await documents.Find("{ $text: { $search: 'one' } }").Project(projection).SingleAsync(Cancel);
            Assert.Equal(fields, found.Names);
            var aggregated = await documents.Aggregate().Match("{ $text: { $search: 'one' } }").Project(projection).SingleAsync(Cancel);
            Assert.Equal(fields, aggregated.Names);
        }
    }

    [Fact]
    public async Task One_and_all_documents_come_in_the_same_order_after_updates()
    {
        var database = await DatabaseAsync();
        var documents = database.GetCollection<BsonDocument>("n");
        await documents.InsertManyAsync(
            Enumerable.Range(0, 300).Select(i => new BsonDocument { { "_id", (i * 7) % 300 }, { "text", new string('x', 500) } }), null, Cancel);
        await documents.UpdateManyAsync("{ _id: { $lt: 20 } }", "{ $set: { more: 'and more' } }", null, Cancel);
        var all = await documents.Find("{}").ToListAsync(Cancel);
        Assert.Equal(all[0], await documents.Find("{}").FirstAsync(Cancel));
        Assert.Equal(all.Take(5), await documents.Find("{}").Limit(5).ToListAsync(Cancel));
        Assert.Equal(all.Skip(3).Take(5), await documents.Find("{}").Skip(3).Limit(5).ToListAsync(Cancel));
    }

    [Fact]
    public async Task Values_of_every_type_pass_through_every_command_byte_for_byte()
    {
        var name = (await DatabaseAsync()).DatabaseNamespace.DatabaseName;
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        var random = new RandomBson(11) { BeyondTrees = false, BeyondExpressions = false };
        for (var i = 0; i < 25; i++)
        {
            var data = random.Document();
            var literal = new BsonBuilder().Start("$set"u8).Start("f"u8).Add("$literal"u8, BsonType.Document, data).Finish();
            var set = new BsonBuilder().Start("$set"u8).Add("f"u8, BsonType.Document, data).Finish();
            var count = new BsonDocument("$facet", new BsonDocument("n", new BsonArray { new BsonDocument("$count", "n") })).ToRaw();
            var root = new BsonDocument("$replaceWith", "$$ROOT").ToRaw();
            var id = new BsonDocument("_id", i).ToRaw();

            await RunAsync(new BsonBuilder().Add("insert"u8, "d")
                .AddArray("documents"u8, [new BsonBuilder().Add("_id"u8, i).Add("f"u8, BsonType.Document, data).Finish()]));
            await ExpectAsync(i, data);
            foreach (var update in (Action<BsonBuilder>[])[b => b.Add("u"u8, BsonType.Document, set.Span), b => b.AddArray("u"u8, [root, literal])])
            {
                await ClearAsync();
                var statement = new BsonBuilder().Add("q"u8, BsonType.Document, id.Span);
                update(statement);
                await RunAsync(
                    new BsonBuilder().Add("update"u8, "d").AddArray("updates"u8, [statement.Start("collation"u8).Add("locale"u8, "simple").Finish()]));
                await ExpectAsync(i, data);
            }

            await ClearAsync();
            await RunAsync(new BsonBuilder().Add("findAndModify"u8, "d").Add("query"u8, BsonType.Document, id.Span).AddArray("update"u8, [literal, root]));
            await ExpectAsync(i, data);

            var page = await RunAsync(new BsonBuilder().Add("aggregate"u8, "d").AddArray("pipeline"u8, [count, literal]).Start("cursor"u8).End());
            Assert.Equal(Convert.ToHexString(data), Convert.ToHexString(Field(Batch(page))));
            await RunAsync(
                new BsonBuilder().Add("aggregate"u8, "d").AddArray("pipeline"u8, [literal, new BsonDocument("$out", "e").ToRaw()]).Start("cursor"u8).End());
            Assert.Equal(
                Convert.ToHexString(data),
                Convert.ToHexString(Field(Batch(await RunAsync(new BsonBuilder().Add("find"u8, "e").Add("filter"u8, BsonType.Document, id.Span))))));

            async Task ClearAsync() => await RunAsync(new BsonBuilder().Add("update"u8, "d")
                .AddArray("updates"u8, [new BsonBuilder().Add("q"u8, BsonType.Document, id.Span).Start("u"u8).Start("$unset"u8).Add("f"u8, 1).Finish()]));
        }

        async Task<RawDocument> RunAsync(BsonBuilder command)
        {
            while (command.Depth > 1)
            {
                command.End();
            }

            var sent = command.Add("$db"u8, name).Finish();
            var reply = new RawDocument(await client.CommandAsync(sent, Cancel));
            var tree = reply.ToTree();
            Assert.True(tree["ok"] == 1 && !tree.Contains("writeErrors"), $"{tree} to {Convert.ToHexString(sent.Span)}");
            return reply;
        }

        async Task ExpectAsync(int id, byte[] data) => Assert.Equal(
            Convert.ToHexString(data),
            Convert.ToHexString(Field(
                Batch(await RunAsync(new BsonBuilder().Add("find"u8, "d").Add("filter"u8, BsonType.Document, new BsonDocument("_id", id).ToRaw().Span))))));

        static RawDocument Batch(RawDocument reply) =>
            reply.TryGet("cursor"u8, out var cursor) && cursor.Document.TryGet("firstBatch"u8, out var batch) ? batch.Document.First.Document : default;

        static ReadOnlySpan<byte> Field(RawDocument document) => document.TryGet("f"u8, out var field) ? field.Value.Span : default;
    }

    [Theory]
    [InlineData("[{ $lookup: { from: 'c', as: 'l', localField: 'b', foreignField: 'a' } }]")]
    [InlineData("[{ $lookup: { from: 'c', as: 'l', let: { b: '$b' }, pipeline: [{ $match: { a: 1 } }] } }]")]
    [InlineData("[{ $graphLookup: { from: 'c', as: 'l', startWith: '$b', connectFromField: '_id', connectToField: 'a' } }]")]
    [InlineData("[{ $match: { a: { $gt: 0 } } }, { $lookup: { from: 'c', as: 'l', localField: 'b', foreignField: 'a' } }]")]
    [InlineData("[{ $facet: { f: [{ $match: { a: 1 } }] } }, { $lookup: { from: 'c', as: 'l', localField: 'f', foreignField: 'a' } }]")]
    [InlineData("[{ $limit: 1 }, { $unionWith: { coll: 'c', pipeline: [{ $match: { a: 1 } }] } }, { $limit: 1 }]")]
    public async Task A_plan_with_an_index_that_is_never_looked_into_is_measured(string pipeline)
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{ a: 1 }"), null, Cancel);
        var crashes = gateway.Crashes;
        foreach (var verbosity in (string[])["queryPlanner", "executionStats", "allPlansExecution"])
        {
            var plan = await database.RunCommandAsync<BsonDocument>(
                $"{{ explain: {{ aggregate: 'c', pipeline: {pipeline}, cursor: {{}} }}, verbosity: '{verbosity}' }}", cancellationToken: Cancel);
            Assert.Equal(verbosity != "queryPlanner", plan.Contains("executionStats"));
        }

        Assert.Equal(crashes, gateway.Crashes);
    }

    [Fact]
    public async Task Generated_pipelines_of_every_user_break_nothing()
    {
        gateway.Require();
        var user = "fuzzer" + Guid.NewGuid().ToString("N");
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", user }, { "pwd", "secret" }, { "roles", new BsonArray { "readAnyDatabase" } } }, cancellationToken: Cancel);
        using var administrator = new MongoClient(gateway.ConnectionString + "&retryReads=false&retryWrites=false");
        using var reader = new MongoClient(gateway.ConnectionStringOf(user, "secret") + "&retryReads=false&retryWrites=false");
        var fuzz = new PipelineFuzz([administrator, administrator, administrator, reader], gateway.Client, gateway.Postgres, _ => { });
        await fuzz.RunAsync(seed: 11, commands: 300, TimeSpan.FromSeconds(15), Cancel);
        Assert.DoesNotContain(fuzz.Findings, finding => finding.Kind != PipelineFuzz.Finding.InternalError);
        Assert.InRange(fuzz.Succeeded, fuzz.Sent / 5, fuzz.Sent);
    }

    private async Task<IMongoDatabase> DatabaseAsync()
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertManyAsync(
            [new() { { "_id", 1 }, { "a", 1 } }, new() { { "_id", 2 }, { "a", 2 } }, new() { { "_id", 3 }, { "a", 2 } }], null, Cancel);
        var target = database.GetCollection<BsonDocument>("x");
        await target.InsertOneAsync(new BsonDocument("_id", "old"), null, Cancel);
        await target.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{ q: 1 }"), null, Cancel);
        return database;
    }

    private static async Task<IEnumerable<string>> IdsAsync(IMongoDatabase database, string collection) =>
        (await database.GetCollection<BsonDocument>(collection).Find("{}").Sort("{ _id: 1 }").ToListAsync(Cancel)).Select(
            document => document["_id"].ToString()!);

    private static UpdateDefinition<BsonDocument> Pipeline(params string[] stages) =>
        new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages.Select(BsonDocument.Parse));
}
