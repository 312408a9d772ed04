using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.History;
using Platform.Migrator.Transforms;
using Xunit;

namespace Platform.Tests.Server.Migrator;

public sealed class TransformTests(MongoServer server)
{
    private const string Name = "people";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_field_is_renamed()
    {
        var people = await FillAsync(Numbers(25).Select(i => new BsonDocument { { "_id", i }, { "old", i } }).Append(new BsonDocument("_id", 99)));
        var report = await RunAsync(people, CollectionTransform.Rename("rename", Name, "old", "new").InBatchesOf(10));
        Assert.Equal((25L, 3, 3), (report.Documents, report.Batches, report.Samples));
        var all = await AllAsync(people);
        Assert.All(all.Take(25), document => Assert.Equal(document["_id"], document["new"]));
        Assert.All(all, document => Assert.False(document.Contains("old")));
        Assert.False(all[25].Contains("new"));
    }

    [Fact]
    public async Task A_field_is_filled_in_where_programs_write_it()
    {
        var random = new Random(7);
        var before = Numbers(400).Select(i => Fields(random, i)).ToList();
        var people = await FillAsync(before);
        var sum = new BsonDocument("$sum", "$lines.quantity");
        await RunAsync(people, CollectionTransform.Backfill("count", Name, "count", sum, after: "lines").InBatchesOf(90));

        Assert.Equal(
            before.Select(document => Convert.ToHexString(Filled(document).ToBson())),
            (await AllAsync(people)).Select(document => Convert.ToHexString(document.ToBson())));
        var refused = Assert.Throws<ArgumentException>(() => CollectionTransform.Backfill("b", Name, "a.b", 1, after: "c"));
        Assert.Contains("is a path", refused.Message, StringComparison.Ordinal);
    }

    // Any fields in any order, some of them odd; the number is there or not.
    private static BsonDocument Fields(Random random, int id)
    {
        var fields = new List<BsonElement>
        {
            new("lines", new BsonArray(Enumerable.Range(0, random.Next(4)).Select(_ => new BsonDocument("quantity", random.Next(9))))),
            new("count", -1),
            new("name", RandomValue(random)),
            new("a b", RandomValue(random)),
            new("nested", new BsonDocument { { "lines", RandomValue(random) }, { "count", 1L } }),
            new("empty", new BsonDocument()),
        };
        return new BsonDocument("_id", id).AddRange(fields.Where(_ => random.Next(3) > 0).OrderBy(_ => random.Next()).ToList());
    }

    private static BsonValue RandomValue(Random random) => random.Next(7) switch
    {
        0 => BsonNull.Value,
        1 => new BsonInt64(random.Next()),
        2 => new BsonDecimal128(Decimal128.Parse("1.50")),
        3 => new BsonDouble(1.5),
        4 => new BsonRegularExpression("x", "i"),
        5 => new BsonArray { 1, new BsonArray { "lines" } },
        _ => "count",
    };

    private static BsonDocument Filled(BsonDocument document)
    {
        if (document.Contains("count"))
        {
            return document;
        }

        var lines = document.GetValue("lines", new BsonArray()).AsBsonArray;
        var count = new BsonElement("count", lines.Sum(line => line["quantity"].AsInt32));
        var filled = new BsonDocument(document.SelectMany(field => field.Name == "lines" ? new[] { field, count } : [field]));
        return filled.Contains("count") ? filled : filled.Add(count);
    }

    [Fact]
    public async Task A_field_is_split_and_the_old_one_removed_by_another_transform()
    {
        var people = await FillAsync(Numbers(25).Select(i => new BsonDocument { { "_id", i }, { "name", $"First{i} Last{i}" }, { "other", "kept" } }));
        await RunAsync(people, SplitName().InBatchesOf(10));
        await RunAsync(people, CollectionTransform.Remove("remove", Name, "name"));
        Assert.All(await AllAsync(people), document => Assert.Equal(
            new BsonDocument { { "_id", document["_id"] }, { "other", "kept" }, { "first", $"First{document["_id"]}" }, { "last", $"Last{document["_id"]}" } },
            document));
    }

    [Fact]
    public async Task A_type_is_changed_and_null_and_missing_values_stay()
    {
        var people = await FillAsync(
        [
            new() { { "_id", 1 }, { "price", "12.50" } }, new() { { "_id", 2 }, { "price", 3 } }, new() { { "_id", 3 }, { "price", BsonNull.Value } },
            new() { { "_id", 4 } }, new() { { "_id", 5 }, { "price", new BsonDecimal128(7m) } },
        ]);
        var report = await RunAsync(people, CollectionTransform.ChangeType("type", Name, "price", "decimal"));
        Assert.Equal(2, report.Documents);
        var all = await AllAsync(people);
        Assert.Equal([new BsonDecimal128(12.50m), new BsonDecimal128(3m), BsonNull.Value], all.Take(3).Select(document => document["price"]));
        Assert.False(all[3].Contains("price"));
    }

    [Fact]
    public async Task What_cannot_be_converted_is_named_and_left_as_it_is()
    {
        var people = await FillAsync([new() { { "_id", 1 }, { "price", "12" } }, new() { { "_id", 2 }, { "price", "much" } }]);
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, CollectionTransform.ChangeType("type", Name, "price", "int")));
        Assert.Equal(
            "1 document of people could not be rewritten: _id 2 (its 'price' has a value of the type string that cannot be converted to int); the others "
                + "are done.",
            exception.Message);
        Assert.Equal("much", (await AllAsync(people))[1]["price"].AsString);
    }

    [Fact]
    public async Task What_is_missing_is_filled_in_and_what_is_there_stays()
    {
        var people = await FillAsync([new() { { "_id", 1 }, { "a", 2 }, { "b", 3 } }, new() { { "_id", 2 }, { "a", 2 }, { "b", 3 }, { "sum", 0 } }]);
        await RunAsync(people, CollectionTransform.Backfill("sum", Name, "sum", new BsonDocument("$add", new BsonArray { "$a", "$b" })));
        Assert.Equal([5, 0], (await AllAsync(people)).Select(document => document["sum"].AsInt32));
    }

    [Fact]
    public async Task Keys_of_several_types_are_all_visited()
    {
        var people = await FillAsync(
            [
                new() { { "_id", 1 } },
                new() { { "_id", "text" } },
                new() { { "_id", ObjectId.GenerateNewId() } },
                new() { { "_id", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) } },
            ]);
        var report = await RunAsync(people, CollectionTransform.Backfill("seen", Name, "seen", true).InBatchesOf(1));
        Assert.Equal(4, report.Documents);
    }

    [Fact]
    public async Task Keys_of_several_types_may_be_in_one_batch()
    {
        var keys = new BsonValue[] { 1, 2.5, 3L, "text", ObjectId.GenerateNewId(), new BsonDocument("a", 1) };
        var people = await FillAsync(keys.Select(key => new BsonDocument { { "_id", key }, { "name", "a b" } }));
        Assert.Equal(6, (await RunAsync(people, CollectionTransform.Backfill("seen", Name, "seen", true))).Documents);
        Assert.Equal(6, (await RunAsync(people, SplitName())).Documents);
    }

    [Fact]
    public async Task Documents_are_rewritten_together_whatever_they_hold()
    {
        // More than fit into one statement; values that look like expressions; fields that only some get, or lose.
        var people = await FillAsync(Numbers(130).Select(i => new BsonDocument { { "_id", i }, { "in", new BsonDocument("n", i) }, { "old", "$in" } }));
        var transform = CollectionTransform.Rewriting(
            "mixed",
            Name,
            new BsonDocument("done", new BsonDocument("$exists", false)),
            ["in.n", "missing"],
            document => (document["in"]["n"].AsInt32 % 4) switch
            {
                0 => new BsonDocument("$set", new BsonDocument { { "done", BsonNull.Value }, { "b", new BsonDocument("$add", new BsonArray { 1, "$_id" }) } }),
                1 => new BsonDocument
                {
                    { "$set", new BsonDocument { { "done", new BsonArray { document["in"]["n"] } } } },
                    { "$unset", new BsonDocument("old", 1) },
                },
                2 => new BsonDocument("$set", new BsonDocument { { "done", "$old" }, { "in.m", 2 } }),
                _ => new BsonDocument { { "$set", new BsonDocument("done", true) }, { "$inc", new BsonDocument("in.n", 1) } },
            });
        var report = await RunAsync(people, transform);
        Assert.Equal((130L, 1), (report.Documents, report.Batches));
        Assert.All(await AllAsync(people), document =>
        {
            var i = document["_id"].AsInt32;
            var expected = new BsonDocument { { "_id", i }, { "in", new BsonDocument("n", i) }, { "old", "$in" } };
            switch (i % 4)
            {
                case 0:
                    expected.AddRange(new BsonDocument { { "done", BsonNull.Value }, { "b", new BsonDocument("$add", new BsonArray { 1, "$_id" }) } });
                    break;
                case 1:
                    expected.Remove("old");
                    expected.Add("done", new BsonArray { i });
                    break;
                case 2:
                    expected["in"]["m"] = 2;
                    expected.Add("done", "$old");
                    break;
                default:
                    expected["in"]["n"] = i + 1;
                    expected.Add("done", true);
                    break;
            }

            Assert.Equal(expected, document);
        });
    }

    [Fact]
    public async Task One_that_the_validator_refuses_does_not_keep_the_others_from_being_written()
    {
        var people = await FillAsync(Numbers(60).Select(i => new BsonDocument { { "_id", i }, { "name", i == 30 ? "a 30" : "a b" } }));
        await people.Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "collMod", Name }, { "validator", new BsonDocument("last", new BsonDocument("$ne", "30")) } }, cancellationToken: Token);
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, SplitName()));
        Assert.Equal(30, Assert.Single(exception.Documents).Id);
        Assert.Contains("_id 30 (Document failed validation", exception.Message, StringComparison.Ordinal);
        Assert.Equal([30], (await AllAsync(people)).Where(document => !document.Contains("first")).Select(document => document["_id"].AsInt32));
        await RunAsync(people, SplitName().WithoutValidation());
        Assert.Equal("30", (await AllAsync(people))[29]["last"].AsString);
    }

    [Fact]
    public async Task One_that_was_stopped_goes_on_after_its_last_batch()
    {
        var people = await FillAsync(Numbers(100).Select(i => new BsonDocument { { "_id", i }, { "name", "a b" }, { "times", 0 } }));
        var split = CollectionTransform.Rewriting(
            "count",
            Name,
            new BsonDocument("first", new BsonDocument("$exists", false)),
            ["name"],
            document => new BsonDocument
            {
                { "$set", new BsonDocument("first", document["name"].AsString[..1]) },
                { "$inc", new BsonDocument("times", 1) },
            }).InBatchesOf(10);

        // As if the process had been killed after the fourth batch was written and before that was recorded.
        MigrationCheckpoint? recorded = null;
        var runner = Runner(people);
        var batches = 0;
        await Assert.ThrowsAsync<OperationCanceledException>(() => runner.RunAsync(
            split,
            resumed: null,
            (checkpoint, _) => ++batches == 4 ? throw new OperationCanceledException() : Task.FromResult(recorded = checkpoint),
            Token));
        Assert.Equal((30L, 100L, new BsonInt32(30)), (recorded!.Documents, recorded.Total, recorded.Position));

        var report = await Runner(people).RunAsync(split, recorded, (_, _) => Task.CompletedTask, Token);
        Assert.Equal(60, report.Documents);
        Assert.All(await AllAsync(people), document => Assert.Equal(1, document["times"].AsInt32));
    }

    [Fact]
    public async Task A_document_that_changes_meanwhile_is_taken_again()
    {
        var people = await FillAsync(Numbers(20).Select(i => new BsonDocument { { "_id", i }, { "name", "old name" } }));
        var changed = false;
        var split = CollectionTransform.Split("split", Name, "name", ["first", "last"], name =>
        {
            if (!changed)
            {
                changed = true;
                people.UpdateOne(new BsonDocument("_id", 20), new BsonDocument("$set", new BsonDocument("name", "new name")), cancellationToken: Token);
            }

            return [.. name.AsString.Split(' ').Select(part => new BsonString(part))];
        });
        var report = await RunAsync(people, split);
        Assert.Equal((20L, 1), (report.Documents, report.Batches));
        Assert.Equal("new", (await AllAsync(people))[19]["first"].AsString);
    }

    [Fact]
    public async Task Nothing_is_lost_of_what_others_write_at_the_same_time()
    {
        const int Documents = 2000;
        var people = await FillAsync(Numbers(Documents).Select(i => new BsonDocument { { "_id", i }, { "name", $"a{i} b{i}" } }));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writes = 0;
        var others = Task.Run(
            async () =>
            {
                // As a program of the old version does: it writes the old form, and knows nothing of the new one's fields.
                while (!stop.IsCancellationRequested)
                {
                    var name = $"c{++writes} d{writes}";
                    await people.UpdateOneAsync(
                        new BsonDocument("_id", 1 + (writes * 7919 % Documents)),
                        new BsonDocument { { "$set", new BsonDocument("name", name) }, { "$unset", new BsonDocument { { "first", 1 }, { "last", 1 } } } },
                        cancellationToken: CancellationToken.None);
                }
            },
            Token);
        try
        {
            await RunAsync(people, SplitName().InBatchesOf(200));
        }
        finally
        {
            await stop.CancelAsync();
            await others;
        }

        Assert.InRange(writes, 20, int.MaxValue);
        await RunAsync(people, SplitName());
        Assert.All(await AllAsync(people), document => Assert.Equal(document["name"].AsString, $"{document["first"]} {document["last"]}"));
    }

    [Fact]
    public async Task A_rewriting_that_is_wrong_is_found_in_a_sample()
    {
        var people = await FillAsync(Numbers(5).Select(i => new BsonDocument { { "_id", i }, { "name", "x" } }));
        var wrong = CollectionTransform.Rewriting(
            "wrong", Name, new BsonDocument("upper", new BsonDocument("$exists", false)), ["name"],
            document => new BsonDocument("$set", new BsonDocument("upper", document["name"])),
            (before, after) => after["upper"] == before["name"].AsString.ToUpperInvariant() ? null : "'upper' is not in upper case");
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, wrong));
        Assert.Contains("was rewritten wrongly: 'upper' is not in upper case", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rewriting_whose_update_leaves_its_condition_true_fails_at_its_first_document()
    {
        var people = await FillAsync(Numbers(50).Select(i => new BsonDocument { { "_id", i }, { "times", 0 } }));
        var endless = CollectionTransform.Rewriting(
            "endless", Name, new BsonDocument("done", new BsonDocument("$exists", false)), ["times"],
            _ => new BsonDocument("$inc", new BsonDocument("times", 1)));
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, endless));
        Assert.Contains("it still needs the change after its rewriting", exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await AllAsync(people)).Sum(document => document["times"].AsInt32));
    }

    [Fact]
    public async Task One_that_still_needs_the_change_after_its_rewriting_is_named_and_the_others_are_done()
    {
        var people = await FillAsync(Numbers(50).Select(i => new BsonDocument { { "_id", i }, { "times", 0 } }));
        var endless = CollectionTransform.Rewriting(
            "endless", Name, new BsonDocument("done", new BsonDocument("$exists", false)), ["times"],
            document => new BsonDocument("$set", new BsonDocument(document["_id"] == 7 ? "dome" : "done", true)));
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, endless));
        Assert.Equal(7, Assert.Single(exception.Documents).Id);
        Assert.Equal([7], (await AllAsync(people)).Where(document => !document.Contains("done")).Select(document => document["_id"].AsInt32));
    }

    [Fact]
    public async Task An_expression_that_gives_nothing_for_one_document_is_told_of_that_one()
    {
        var people = await FillAsync(Numbers(50).Select(i => i == 7 ? new BsonDocument("_id", i) : new BsonDocument { { "_id", i }, { "a", i } }));
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, CollectionTransform.Backfill("copy", Name, "b", "$a")));
        Assert.Equal((7, "the expression gives no value for it"), (Assert.Single(exception.Documents).Id.AsInt32, exception.Documents[0].Reason));
        Assert.Equal(49, (await AllAsync(people)).Count(document => document.Contains("b")));
    }

    [Fact]
    public async Task One_that_becomes_too_long_is_named_and_the_others_are_done()
    {
        const int Megabytes = 1024 * 1024;
        var people =
            await FillAsync(Numbers(101).Select(i => new BsonDocument { { "_id", i }, { "name", i == 51 ? new string('x', 9 * Megabytes) + " b" : "a b" } }));
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, SplitName()));
        Assert.Equal(51, Assert.Single(exception.Documents).Id);
        var exists = new BsonDocument("first", new BsonDocument("$exists", true));
        Assert.Equal(100, await people.CountDocumentsAsync(exists, cancellationToken: Token));

        // One that does not become longer is done, however long it is.
        await people.UpdateOneAsync(new BsonDocument("_id", 51), new BsonDocument("$rename", new BsonDocument("name", "in.name")), cancellationToken: Token);
        Assert.Equal(1, (await RunAsync(people, CollectionTransform.Rename("rename", Name, "in.name", "in.first"))).Documents);
        Assert.Equal(101, await people.CountDocumentsAsync(
            new BsonDocument("$or", new BsonArray { exists, new BsonDocument("in.first", new BsonDocument("$exists", true)) }), cancellationToken: Token));
    }

    [Fact]
    public async Task One_that_the_validator_refuses_to_the_server_itself_does_not_keep_the_others_from_being_written()
    {
        var people = await FillAsync(Numbers(300).Select(i => new BsonDocument { { "_id", i }, { "old", i } }));
        await people.Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "collMod", Name }, { "validator", new BsonDocument("new", new BsonDocument("$nin", new BsonArray { 30, 150, 299 })) } },
            cancellationToken: Token);
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, CollectionTransform.Rename("rename", Name, "old", "new")));
        Assert.Equal([30, 150, 299], exception.Documents.Select(document => document.Id.AsInt32).Order());
        Assert.Equal(297, (await AllAsync(people)).Count(document => document.Contains("new")));
    }

    [Fact]
    public async Task One_that_cannot_be_converted_does_not_keep_keys_of_another_type_from_being_visited()
    {
        var people = await FillAsync(Numbers(100).Select(i => new BsonDocument { { "_id", $"key {i}" }, { "price", "1" } })
            .Prepend(new() { { "_id", 1 }, { "price", "much" } })
            .Append(new() { { "_id", double.NaN }, { "price", "2" } })
            .Append(new() { { "_id", BsonNull.Value }, { "price", "3" } }));
        var exception = await Assert.ThrowsAsync<TransformException>(() => RunAsync(people, CollectionTransform.ChangeType("type", Name, "price", "int")));
        Assert.Equal(1, Assert.Single(exception.Documents).Id);
        Assert.Equal(102, (await AllAsync(people)).Count(document => document["price"].IsInt32));
    }

    [Fact]
    public async Task A_run_ends_although_old_programs_go_on_writing_the_old_form()
    {
        var people = await FillAsync(Numbers(50).Select(i => new BsonDocument { { "_id", i }, { "name", "a b" } }));
        var writes = 0;
        // Before each batch is recorded as many documents come as were done: a new one, and one in the old form again.
        var report = await Runner(people).RunAsync(SplitName().InBatchesOf(10), resumed: null, async (checkpoint, token) =>
        {
            await people.InsertManyAsync(Numbers(10).Select(_ => new BsonDocument { { "_id", 1000 + writes++ }, { "name", "c d" } }), cancellationToken: token);
            await people.UpdateOneAsync(new BsonDocument("_id", 1), new BsonDocument("$unset", new BsonDocument("first", 1)), cancellationToken: token);
        }, Token);
        Assert.Equal((50L, 5, 51L), (report.Documents, report.Batches, report.Newer));
        Assert.Equal(51, (await RunAsync(people, SplitName())).Documents);
    }

    [Fact]
    public async Task A_new_field_that_a_user_changes_meanwhile_is_not_taken_for_a_rewriting_that_is_wrong()
    {
        var people = await FillAsync(Numbers(20).Select(i => new BsonDocument { { "_id", i }, { "name", "a b" }, { "old", i } }));
        Task ChangeAsync(CancellationToken token) => people.UpdateManyAsync(
            new BsonDocument("first", new BsonDocument("$exists", true)),
            new BsonDocument("$set", new BsonDocument { { "first", "A" }, { "new", 0 } }),
            cancellationToken: token);
        foreach (var transform in new[] { SplitName(), CollectionTransform.Rename("rename", Name, "old", "new") })
        {
            var report = await Runner(people).RunAsync(transform.InBatchesOf(5), resumed: null, (_, token) => ChangeAsync(token), Token);
            Assert.Equal((20L, 4), (report.Documents, report.Samples));
        }
    }

    [Fact]
    public async Task A_limit_is_kept()
    {
        var people = await FillAsync(Numbers(60).Select(i => new BsonDocument("_id", i)));
        var runner = new TransformRunner(people.Database, TimeProvider.System, NullLogger.Instance) { MaxDocumentsPerSecond = 200 };
        var report = await runner.RunAsync(
            CollectionTransform.Backfill("seen", Name, "seen", true).InBatchesOf(10), resumed: null, (_, _) => Task.CompletedTask, Token);
        // Timers may be early by their resolution.
        Assert.True(report.DurationMs >= 290, $"60 documents at 200 a second took {report.DurationMs} ms.");
    }

    private static IEnumerable<int> Numbers(int count) => Enumerable.Range(1, count);

    private static CollectionTransform SplitName() =>
        CollectionTransform.Split("split", Name, "name", ["first", "last"], name => [.. name.AsString.Split(' ').Select(part => new BsonString(part))]);

    private static TransformRunner Runner(IMongoCollection<BsonDocument> collection) => new(collection.Database, TimeProvider.System, NullLogger.Instance);

    private static Task<TransformReport> RunAsync(IMongoCollection<BsonDocument> collection, CollectionTransform transform) =>
        Runner(collection).RunAsync(transform, resumed: null, (_, _) => Task.CompletedTask, Token);

    private async Task<IMongoCollection<BsonDocument>> FillAsync(IEnumerable<BsonDocument> documents)
    {
        var collection = server.NewDatabase().GetCollection<BsonDocument>(Name);
        await collection.InsertManyAsync(documents, cancellationToken: Token);
        return collection;
    }

    private static Task<List<BsonDocument>> AllAsync(IMongoCollection<BsonDocument> collection) =>
        collection.Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).ToListAsync(Token);
}
