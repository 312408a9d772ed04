using System.Globalization;
using System.Security.Cryptography;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;
using Platform.Backup.InPlace;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>One collection's way back: its documents, and where it is gone the rest of it.</summary>
[Collection(BackupCollection.Name)]
public sealed class CollectionRestoreTests(BackupFixture fixture)
{
    private static readonly BsonDocument[] s_indexes =
    [
        BsonDocument.Parse("{ name: 'sku', key: { sku: 1 }, unique: true }"),
        BsonDocument.Parse("{ name: 'place', key: { shelf: 1, number: -1 }, unique: true, partialFilterExpression: { shelf: { $exists: true } } }"),
        BsonDocument.Parse("{ name: 'expiry', key: { expires: 1 }, expireAfterSeconds: 3600 }"),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("dropped")]
    [InlineData("emptied")]
    [InlineData("changed")]
    [InlineData("dropped, and written to since")]
    public async Task A_collection_is_brought_back_with_its_validator_and_indexes_and_no_other_is_touched(string fate)
    {
        using var host = await fixture.HostWithBackupAsync(Token);

        var live = fixture.Set.NewDatabase();
        var (items, _) = (await MakeAsync(live, "items", 450), await MakeAsync(live, "others", 50));
        var (was, others) = (await StateAsync(live, "items"), await StateAsync(live, "others"));
        var moment = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        switch (fate)
        {
            case "dropped":
                await live.DropCollectionAsync("items", Token);
                break;
            case "emptied":
                await items.DeleteManyAsync(FilterDefinition<BsonDocument>.Empty, Token);
                break;
            case "changed":
                await items.Indexes.DropOneAsync("expiry", Token);
                await items.UpdateManyAsync(BsonDocument.Parse("{ number: { $lt: 200 } }"), BsonDocument.Parse("{ $set: { price: 0 } }"), null, Token);
                break;
            default:
                // It is made anew by the first write, without anything that it had.
                await live.DropCollectionAsync("items", Token);
                await items.InsertManyAsync([new BsonDocument("sku", "new"), new BsonDocument("sku", "new")], null, Token);
                break;
        }

        var after = await StateAsync(live, "items");
        Assert.NotEqual(was, after);
        string[] command = ["restore", "--at", moment, "--collection", "items"];
        var report = (await fixture.RunAsync([.. command, "--json"], Token, live)).Expect(ExitCodes.Success).Json;
        Assert.Equal(after, await StateAsync(live, "items"));
        Assert.Equal(fate != "emptied", report.GetProperty("structure").GetArrayLength() > 0);

        var plan = report.GetProperty("plan").GetString()!;
        var applied = (await fixture.RunAsync([.. command, "--apply", plan, "--json"], Token, live)).Expect(ExitCodes.Success).Json;
        Assert.Equal(0, applied.GetProperty("leftAlone").GetInt64());
        Assert.Equal(was, await StateAsync(live, "items"));
        Assert.Equal(others, await StateAsync(live, "others"));
        var done = (await fixture.RunAsync([.. command, "--json"], Token, live)).Expect(ExitCodes.Success).Json;
        Assert.Equal(System.Text.Json.JsonValueKind.Null, done.GetProperty("plan").ValueKind);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_documents_took_from_each_other_goes_back_and_ended_anywhere_a_new_plan_has_the_rest(int seed)
    {
        BackupFixture.Require();
        // Two databases of one server stand for the running one and the copy.
        var (live, copy) = (fixture.Set.NewDatabase(), fixture.Set.NewDatabase());
        var (now, then) = (await MakeAsync(live, "items", 0), await MakeAsync(copy, "items", 0));
        for (var round = 0; round < 40; round++)
        {
            var random = new Random((seed * 1000) + round);
            await FillAsync(then, random, 60);
            await FillAsync(now, random, 60);
            var restore = new InPlaceRestore(live, copy, RestoreScope.OfCollection("items"));
            for (var isDone = false; !isDone;)
            {
                using var plan = await restore.PlanAsync(Path.GetTempPath(), Token);
                using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
                var batches = random.Next(1, 6);
                try
                {
                    Assert.Equal(0, await restore.ApplyAsync(plan, end.Token, () =>
                    {
                        if (--batches == 0)
                        {
                            end.Cancel();
                        }
                    }));
                    isDone = true;
                }
                catch (OperationCanceledException) when (!Token.IsCancellationRequested)
                {
                    // Ended between two batches.
                }
            }

            Assert.Equal(await StateAsync(copy, "items"), await StateAsync(live, "items"));
        }
    }

    [Fact]
    public async Task Who_takes_a_value_from_one_that_was_written_to_since_is_left_alone_with_it()
    {
        BackupFixture.Require();
        var (live, copy) = (fixture.Set.NewDatabase(), fixture.Set.NewDatabase());
        var (now, then) = (await MakeAsync(live, "items", 0), await MakeAsync(copy, "items", 0));
        await then.InsertManyAsync([Item(1, "a"), Item(2, "b"), Item(3, "c"), Item(4, "d")], null, Token);
        await now.InsertManyAsync([Item(1, "b"), Item(2, "a"), Item(3, "d"), Item(4, "x")], null, Token);
        var restore = new InPlaceRestore(live, copy, RestoreScope.OfCollection("items"));
        using (var plan = await restore.PlanAsync(Path.GetTempPath(), Token))
        {
            await now.UpdateOneAsync(new BsonDocument("_id", 3), BsonDocument.Parse("{ $set: { late: true } }"), null, Token);
            // The third, and the fourth that takes its value; the first two exchange theirs.
            Assert.Equal(2, await restore.ApplyAsync(plan, Token));
        }

        Assert.Equal("a", (await now.Find(new BsonDocument("_id", 1)).SingleAsync(Token))["sku"].AsString);
        Assert.True((await now.Find(new BsonDocument("_id", 3)).SingleAsync(Token))["late"].AsBoolean);
        using var rest = await restore.PlanAsync(Path.GetTempPath(), Token);
        Assert.Equal(0, await restore.ApplyAsync(rest, Token));
        Assert.Equal(await StateAsync(copy, "items"), await StateAsync(live, "items"));
    }

    [Fact]
    public async Task What_cannot_be_brought_back_is_refused_with_a_sentence()
    {
        BackupFixture.Require();
        var (live, copy) = (fixture.Set.NewDatabase(), fixture.Set.NewDatabase());
        await copy.CreateCollectionAsync("measures", new CreateCollectionOptions { TimeSeriesOptions = new TimeSeriesOptions("at") }, Token);
        await copy.CreateCollectionAsync("words", null, Token);
        await live.CreateViewAsync("words", "items", new EmptyPipelineDefinition<BsonDocument>(), null, Token);
        await RefusedAsync("measures", "measures is a timeseries");
        await RefusedAsync("never", "There was no collection never");
        await RefusedAsync("words", "words is a view, whose documents cannot be written one by one");
        Assert.StartsWith(
            "_outbox is not brought back", Assert.Throws<BackupException>(() => RestoreScope.OfCollection("_outbox")).Message, StringComparison.Ordinal);

        async Task RefusedAsync(string name, string sentence)
        {
            var restore = new InPlaceRestore(live, copy, RestoreScope.OfCollection(name));
            var refused = await Assert.ThrowsAsync<BackupException>(() => restore.PlanAsync(Path.GetTempPath(), Token));
            Assert.Equal(ExitCodes.Refused, refused.ExitCode);
            Assert.StartsWith(sentence, refused.Message, StringComparison.Ordinal);
        }
    }

    private static BsonDocument Item(int key, string sku) => new() { ["_id"] = key, ["sku"] = sku };

    /// <summary>Replaces what is there by documents of few keys and few values.</summary>
    private static async Task FillAsync(IMongoCollection<BsonDocument> collection, Random random, int keys)
    {
        await collection.DeleteManyAsync(FilterDefinition<BsonDocument>.Empty, Token);
        var skus = Enumerable.Range(0, keys).OrderBy(_ => random.Next()).ToList();
        var places = Enumerable.Range(0, keys).OrderBy(_ => random.Next()).ToList();
        await collection.InsertManyAsync(
            Enumerable.Range(0, keys).Where(key => random.Next(8) > 0).Select(key =>
            {
                var document = new BsonDocument { ["_id"] = key, ["sku"] = $"s{skus[key]}", ["number"] = places[key] % 10, ["price"] = random.Next(3) };
                return random.Next(3) > 0 ? document.Add("shelf", places[key] / 10) : document;
            }),
            null,
            Token);
    }

    private static async Task<IMongoCollection<BsonDocument>> MakeAsync(IMongoDatabase database, string name, int documents)
    {
        await database.RunCommandAsync<BsonDocument>(
            new BsonDocument
            {
                ["create"] = name, ["validator"] = BsonDocument.Parse("{ $jsonSchema: { required: ['sku'] } }"), ["validationLevel"] = "moderate",
            },
            null,
            Token);
        var collection = database.GetCollection<BsonDocument>(name);
        await database.RunCommandAsync<BsonDocument>(
            new BsonDocument { ["createIndexes"] = name, ["indexes"] = new BsonArray(s_indexes) }, null, Token);
        if (documents > 0)
        {
            await collection.InsertManyAsync(
                Enumerable.Range(0, documents).Select(i => new BsonDocument
                {
                    ["sku"] = $"s{i}", ["shelf"] = i / 10, ["number"] = i, ["price"] = new BsonDecimal128(i), ["text"] = new string('x', i),
                }),
                null,
                Token);
            // It was there before the rule.
            await collection.InsertOneAsync(new BsonDocument("shelf", -1), new InsertOneOptions { BypassDocumentValidation = true }, Token);
        }

        return collection;
    }

    /// <summary>All that a collection is: its options, its indexes and its documents.</summary>
    private static async Task<string> StateAsync(IMongoDatabase database, string name)
    {
        var listed = await (await database.ListCollectionsAsync(new() { Filter = new BsonDocument("name", name) }, Token)).ToListAsync(Token);
        var indexes = await (await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(Token)).ToListAsync(Token);
        var documents = await database.GetCollection<BsonDocument>(name).Find(FilterDefinition<BsonDocument>.Empty).Sort(new BsonDocument("_id", 1))
            .ToListAsync(Token);
        return string.Join(
            '\n',
            [
                .. listed.Select(collection => collection["options"].ToJson()),
                .. indexes.OrderBy(index => index["name"].AsString, StringComparer.Ordinal).Select(index => index.ToJson()),
                documents.Count.ToString(CultureInfo.InvariantCulture),
                Convert.ToHexString(SHA256.HashData([.. documents.SelectMany(document => SHA256.HashData(document.ToBson()))])),
            ]);
    }
}
