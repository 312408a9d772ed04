using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>
/// Writes of one and of several statements: each statement takes effect once, whoever repeats the command and wherever; none fails because it
/// met another one.
/// </summary>
[Collection(CommandsCollection.Name)]
public sealed class WriteTests(GatewayFixture gateway, OtherGateway other) : IClassFixture<OtherGateway>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_statement_of_a_bulk_takes_effect()
    {
        var documents = Collection();
        await documents.InsertManyAsync(Enumerable.Range(1, 7).Select(id => new BsonDocument("_id", id)), null, Cancel);

        var five =
            await documents.BulkWriteAsync(Enumerable.Range(1, 5).Select(id => new DeleteOneModel<BsonDocument>(new BsonDocument("_id", id))), null, Cancel);
        var missing = await documents.BulkWriteAsync(
            [new DeleteOneModel<BsonDocument>(new BsonDocument("_id", 99)), new DeleteOneModel<BsonDocument>(new BsonDocument("_id", 6))], null, Cancel);

        Assert.Equal((5, 1), (five.DeletedCount, missing.DeletedCount));
        Assert.Equal([7], (await documents.Find("{}").ToListAsync(Cancel)).Select(d => d["_id"].AsInt32));
    }

    [Theory]
    [InlineData("insert", "{insert: 'c', documents: [{_id: 1, n: 1}, {_id: 2, n: 1}, {_id: 3, n: 1}]}")]
    [InlineData("insert with a failure", "{insert: 'c', documents: [{_id: 1, n: 1}, {_id: 0}, {_id: 3, n: 1}], ordered: false}")]
    [InlineData("update", "{update: 'c', updates: [{q: {_id: 0}, u: {$inc: {n: 1}}}, {q: {_id: -1}, u: {$inc: {n: 1}}}, {q: {_id: 0}, u: {$inc: {n: 1}}}]}")]
    [InlineData("unordered update", "{update: 'c', updates: [{q: {_id: 5}, u: {$inc: {n: 1}}, upsert: true}, {q: {_id: 0}, u: {$inc: {n: 1}}}], "
        + "ordered: false}")]
    [InlineData("update with a "
        + "failure", "{update: 'c', updates: [{q: {_id: 0}, u: {$inc: {n: 1}}}, {q: {_id: 0}, u: {$inc: {s: 1}}}, {q: {_id: 0}, u: {$inc: {n: 1}}}]}")]
    [InlineData(
        "scattered update", "{update: 'c', updates: [{q: {_id: 9}, u: {$inc: {n: 1}}, upsert: true}, {q: {_id: 0}, u: {$inc: {n: 1}}}, {q: {_id: 5}, u: "
            + "{$inc: {n: 1}}, upsert: true}]}")]
    [InlineData(
        "scattered update with a failure",
        "{update: 'c', updates: [{q: {_id: 9}, u: {$inc: {n: 1}}, upsert: true}, {q: {_id: 0}, u: {$inc: {n: 1}}}, {q: {_id: -1}, u: {$inc: {s: 1}}}, {q: "
            + "{_id: -2}, u: {$inc: {n: 1}}}]}")]
    [InlineData("update without a key", "{update: 'c', updates: [{q: {s: 'a'}, u: {$inc: {n: 1}}}, {q: {s: 'b'}, u: {$inc: {n: 1}}, upsert: true}]}")]
    [InlineData("upsert without an _id", "{update: 'c', updates: [{q: {s: 'z'}, u: {$push: {n: 1}}, upsert: true}]}")]
    [InlineData("delete", "{delete: 'c', deletes: [{q: {_id: -1}, limit: 1}, {q: {_id: 0}, limit: 1}, {q: {s: 'b'}, limit: 1}]}")]
    [InlineData("findAndModify", "{findAndModify: 'c', query: {_id: 0}, update: {$inc: {n: 1}}, new: true}")]
    [InlineData("removal", "{findAndModify: 'c', query: {s: 'b'}, remove: true, sort: {_id: 1}}")]
    [InlineData(
        "bulkWrite",
        "{bulkWrite: 1, nsInfo: [{ns: 'DB.c'}], ops: [{insert: 0, document: {_id: 7, n: 1}}, {update: 0, filter: {_id: 0}, updateMods: {$inc: {n: 1}}}, "
            + "{update: 0, filter: {_id: 0}, updateMods: {$inc: {n: 1}}}, {delete: 0, filter: {s: 'b'}}]}")]
    public async Task A_command_that_is_repeated_answers_the_same_and_takes_effect_once(string kind, string text)
    {
        _ = kind;
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        BsonDocument[] before =
            [new() { { "_id", 0 }, { "n", 0 }, { "s", "a" } }, new() { { "_id", -1 }, { "n", 0 }, { "s", "b" } }, new() { { "_id", -2 }, { "s", "b" } }];
        await documents.InsertManyAsync(before, null, Cancel);
        var command = BsonDocument.Parse(text.Replace("DB", database.DatabaseNamespace.DatabaseName, StringComparison.Ordinal));
        command.Add("lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)));
        command.Add("txnNumber", 3L);
        command.Add("$db", command.Contains("bulkWrite") ? "admin" : database.DatabaseNamespace.DatabaseName);
        await using var client = await LoginAsync(gateway.Port);

        var first = Outcome(await client.CommandAsync(command, Cancel));
        var after = await documents.Find("{}").Sort("{_id: 1}").ToListAsync(Cancel);
        var replies = new List<BsonDocument> { Outcome(await client.CommandAsync(command, Cancel)), Outcome(await client.CommandAsync(command, Cancel)) };
        await using var elsewhere = await LoginAsync(other.Port);
        replies.Add(Outcome(await elsewhere.CommandAsync(command, Cancel)));
        replies.Add(Outcome(await elsewhere.CommandAsync(command, Cancel)));

        Assert.NotEqual(before, after);
        Assert.All(replies, reply => Assert.Equal(first, reply));
        Assert.Equal(after, await documents.Find("{}").Sort("{_id: 1}").ToListAsync(Cancel));
    }

    [Fact]
    public async Task A_number_that_is_older_than_one_of_its_session_is_refused_wherever_it_comes()
    {
        var database = gateway.NewDatabase();
        await using var client = await LoginAsync(gateway.Port);
        await using var elsewhere = await LoginAsync(other.Port);
        var command = BsonDocument.Parse("{insert: 'c', documents: [{_id: 1}]}");
        command.Add("lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)));
        command.Add("txnNumber", 5L);
        command.Add("$db", database.DatabaseNamespace.DatabaseName);

        Assert.Equal(1, (await client.CommandAsync(command, Cancel))["n"].AsInt32);
        command["txnNumber"] = 4L;
        command["documents"] = new BsonArray { new BsonDocument("_id", 2) };
        Assert.Equal(225, (await client.CommandAsync(command, Cancel))["code"].AsInt32);
        Assert.Equal(225, (await elsewhere.CommandAsync(command, Cancel))["code"].AsInt32);
        Assert.Equal(1, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task Statements_of_bulkWrite_are_rewritten_as_those_of_update_are()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "a", 1 } }, null, Cancel);

        var reply = await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            BsonDocument.Parse(
                $"{{bulkWrite: 1, nsInfo: [{{ns: '{documents.CollectionNamespace}'}}], ops: ["
                + "{update: 0, filter: {_id: 1}, updateMods: [{$replaceWith: {$mergeObjects: ['$$ROOT', {b: 2}]}}]}, {update: 0, filter: {_id: 1}, "
                + "updateMods: {_id: 1, a: 1, b: 2}}]}"),
            null,
            Cancel);

        Assert.Equal((2, 1, 0), (reply["nMatched"].AsInt32, reply["nModified"].AsInt32, reply["nErrors"].AsInt32));
        Assert.Equal([BsonDocument.Parse("{_id: 1, a: 1, b: 2}")], await documents.Find("{}").ToListAsync(Cancel));
    }

    [Fact]
    public async Task A_session_and_number_of_another_user_are_something_else()
    {
        var database = gateway.NewDatabase();
        var name = "w" + Guid.NewGuid().ToString("N")[..8];
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", name }, { "pwd", "Another-1!" }, { "roles", new BsonArray { "readWriteAnyDatabase", "clusterAdmin" } } }, null,
            Cancel);
        await using var client = await LoginAsync(gateway.Port);
        await using var another = await WireClient.ConnectAsync(gateway, Cancel);
        await another.LoginAsync(name, "Another-1!", Cancel);
        var lsid = new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard));

        BsonDocument Insert(int id) => new()
        {
            { "insert", "c" }, { "documents", new BsonArray { new BsonDocument("_id", id) } }, { "lsid", lsid }, { "txnNumber", 1L },
            { "$db", database.DatabaseNamespace.DatabaseName },
        };

        Assert.Equal(1, (await client.CommandAsync(Insert(1), Cancel))["n"].AsInt32);
        Assert.Equal(1, (await another.CommandAsync(Insert(2), Cancel))["n"].AsInt32);
        Assert.Equal(2, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task A_large_bulk_is_applied_once_although_its_reply_is_lost_at_any_time()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>("{u: 1}", new CreateIndexOptions { Unique = true, Sparse = true }), null, Cancel);
        await documents.InsertOneAsync(new BsonDocument { { "_id", "taken" }, { "u", 1 } }, null, Cancel);
        for (var round = 0; round < 5; round++)
        {
            // Some fail, and are described after what succeeded was committed.
            var command = new BsonDocument
            {
                { "update", "c" },
                {
                    "updates", new BsonArray(Enumerable.Range(0, 300).Select(i => new BsonDocument
                    {
                        { "q", new BsonDocument("_id", $"{round} {i * 7 % 300:000}") },
                        { "u", i % 30 == 29 ? new BsonDocument("$set", new BsonDocument("u", 1)) : new BsonDocument("$inc", new BsonDocument("n", 1)) },
                        { "upsert", true },
                    }))
                },
                { "ordered", false },
                { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)) },
                { "txnNumber", 1L },
                { "$db", database.DatabaseNamespace.DatabaseName },
            };
            await using (var lost = await LoginAsync(gateway.Port))
            {
                await lost.SendAsync(WireClient.Message(command, 77), Cancel);
                // The client goes when some of it is done, or all.
                while (round > 0 && await documents.CountDocumentsAsync(
                    new BsonDocument("_id", new BsonRegularExpression($"^{round} ")), null, Cancel) < Math.Min(round * 72, 290))
                {
                }
            }

            await using var client = await LoginAsync(gateway.Port);
            var reply = await client.CommandAsync(command, Cancel);
            Assert.Equal((290, 290, 10), (reply["n"].AsInt32, reply["upserted"].AsBsonArray.Count, reply["writeErrors"].AsBsonArray.Count));
            Assert.Equal(Outcome(reply)["upserted"], Outcome(await client.CommandAsync(command, Cancel))["upserted"]);
        }

        Assert.Equal(5 * 290, await documents.CountDocumentsAsync("{n: 1}", null, Cancel));
        Assert.Equal(5 * 290 + 1, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bulks_in_any_order_over_the_same_documents_all_succeed(bool ordered)
    {
        var documents = Collection();
        await documents.InsertManyAsync(Enumerable.Range(0, 200).Select(id => new BsonDocument { { "_id", id }, { "n", 0 } }), null, Cancel);
        var random = new Random(11);
        var bulks = Enumerable.Range(0, 8)
            .Select(client => Enumerable.Range(0, 6).Select(_ => client < 2
                ? Enumerable.Range(0, 200).Select(i => client == 0 ? i : 199 - i).ToArray()
                : [.. Enumerable.Range(0, 40).Select(_ => random.Next(60))]).ToList())
            .ToList();

        await Task.WhenAll(bulks.Select(async client =>
        {
            foreach (var keys in client)
            {
                var result = await documents.BulkWriteAsync(
                    keys.Select(key => new UpdateOneModel<BsonDocument>(new BsonDocument("_id", key), "{$inc: {n: 1}}")),
                    new BulkWriteOptions { IsOrdered = ordered },
                    Cancel);
                Assert.Equal(keys.Length, result.ModifiedCount);
            }
        }));

        var expected = bulks.SelectMany(b => b).SelectMany(keys => keys).CountBy(key => key).ToDictionary();
        Assert.All(await documents.Find("{}").ToListAsync(Cancel), d => Assert.Equal(expected[d["_id"].AsInt32], d["n"].AsInt32));
    }

    [Fact]
    public async Task Inserts_and_updates_of_many_that_overlap_all_succeed()
    {
        var documents = Collection();
        await documents.Indexes.CreateManyAsync(
            [
                new CreateIndexModel<BsonDocument>("{a: 1}"),
                new CreateIndexModel<BsonDocument>("{b: -1}"),
                new CreateIndexModel<BsonDocument>("{u: 1}", new CreateIndexOptions { Unique = true }),
            ], Cancel);
        const int ids = 60;
        var random = new Random(5);
        var orders = Enumerable.Range(0, 6).Select(_ => Enumerable.Range(0, ids).OrderBy(_ => random.Next()).ToArray()).ToList();

        var inserted = Task.WhenAll(orders.Select(async (order, client) =>
        {
            try
            {
                await documents.InsertManyAsync(
                    order.Select(i => new BsonDocument { { "_id", i }, { "a", i }, { "b", i }, { "u", ids - i }, { "n", 0 } }),
                    new InsertManyOptions { IsOrdered = false }, Cancel);
                return ids;
            }
            catch (MongoBulkWriteException<BsonDocument> e)
            {
                Assert.All(e.WriteErrors, error => Assert.Equal(11000, error.Code));
                return (int)e.Result.InsertedCount;
            }
        }));
        var updates = Task.WhenAll(Enumerable.Range(0, 4).Select(async client =>
        {
            for (var i = 0; i < 4; i++)
            {
                await documents.UpdateManyAsync(client % 2 == 0 ? "{a: {$gte: 0}}" : "{b: {$gte: 0}}", "{$inc: {n: 1}}", null, Cancel);
            }
        }));

        await Task.WhenAll(inserted, updates);
        Assert.Equal(ids, (await inserted).Sum());
        Assert.Equal(ids, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task Upserts_of_one_key_in_several_types_make_one_document()
    {
        var documents = Collection();
        for (var round = 0; round < 8; round++)
        {
            BsonValue[] keys = round % 2 == 0
                ? [new BsonInt32(round + 1), new BsonDouble(round + 1), new BsonInt64(round + 1), new BsonDecimal128(round + 1)]
                : [new BsonDouble(0.0), new BsonDouble(-0.0), new BsonInt32(0), new BsonDecimal128(Decimal128.Parse("0.00"))];
            var before = await documents.CountDocumentsAsync("{}", null, Cancel);
            var results = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => documents.UpdateOneAsync(
                new BsonDocument("_id", keys[i % keys.Length]), "{$inc: {n: 1}}", new UpdateOptions { IsUpsert = true }, Cancel)));

            var made = round is 3 or 5 or 7 ? 0 : 1;
            Assert.Equal(made, results.Count(r => r.UpsertedId is not null));
            Assert.Equal(before + made, await documents.CountDocumentsAsync("{}", null, Cancel));
        }
    }

    [Fact]
    public async Task Writes_that_want_no_answer_are_run_although_their_client_has_gone()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", -1), null, Cancel);
        await using (var client = await LoginAsync(gateway.Port))
        {
            var messages = Enumerable.Range(0, 500).SelectMany(i => WireClient.Message(
                new BsonDocument
                {
                    { "insert", "c" }, { "documents", new BsonArray { new BsonDocument("_id", i) } }, { "writeConcern", new BsonDocument("w", 0) },
                    { "$db", database.DatabaseNamespace.DatabaseName },
                },
                i,
                flags: 2)).ToArray();
            await client.SendAsync(messages, Cancel);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (await documents.CountDocumentsAsync("{}", null, limit.Token) < 501)
        {
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bulk_does_what_its_statements_do_one_after_the_other(bool ordered)
    {
        var database = gateway.NewDatabase();
        var random = new Random(ordered ? 3 : 4);
        for (var round = 0; round < 40; round++)
        {
            var (bulk, single) = (database.GetCollection<BsonDocument>($"bulk{round}"), database.GetCollection<BsonDocument>($"single{round}"));
            // What fails by a key is taken depends on the order, which an unordered bulk does not have.
            var isUnique = ordered && round % 2 == 0;
            foreach (var collection in (IMongoCollection<BsonDocument>[])[bulk, single])
            {
                await collection.InsertManyAsync(
                    Enumerable.Range(0, 8).Select(id => new BsonDocument { { "_id", id }, { "u", id }, { "n", 0 }, { "s", "x" } }), null, Cancel);
                if (isUnique)
                {
                    await collection.Indexes.CreateOneAsync(
                        new CreateIndexModel<BsonDocument>("{u: 1}", new CreateIndexOptions { Unique = true, Sparse = true }), null, Cancel);
                }
            }

            var statements = new BsonArray(Enumerable.Range(0, 2 + random.Next(14)).Select(i =>
            {
                BsonDocument update = random.Next(12) switch
                {
                    0 => new("$inc", new BsonDocument("s", 1)),
                    1 or 2 => new("$inc", new BsonDocument("n", 0)),
                    3 or 4 => new("$set", new BsonDocument("u", random.Next(14))),
                    5 or 6 => new("$push", new BsonDocument("l", i)),
                    _ => new("$inc", new BsonDocument("n", 1)),
                };
                return new BsonDocument
                {
                    { "q", new BsonDocument("_id", random.Next(12)) }, { "u", update }, { "upsert", random.Next(3) == 0 }, { "multi", random.Next(8) == 0 },
                };
            }));

            var expected = new BsonDocument { { "n", 0 }, { "nModified", 0 }, { "upserted", new BsonArray() }, { "errors", new BsonArray() } };
            for (var i = 0; i < statements.Count; i++)
            {
                Add(expected, await UpdateAsync(single, [statements[i]]), i);
                if (ordered && expected["errors"].AsBsonArray.Count > 0)
                {
                    break;
                }
            }

            var actual = new BsonDocument { { "n", 0 }, { "nModified", 0 }, { "upserted", new BsonArray() }, { "errors", new BsonArray() } };
            Add(actual, await UpdateAsync(bulk, statements), 0);
            Assert.True(expected == actual, $"Round {round}: {statements.ToJson()}{Environment.NewLine}{expected}{Environment.NewLine}{actual}");
            Assert.Equal(await single.Find("{}").Sort("{_id: 1}").ToListAsync(Cancel), await bulk.Find("{}").Sort("{_id: 1}").ToListAsync(Cancel));
        }

        Task<BsonDocument> UpdateAsync(IMongoCollection<BsonDocument> collection, BsonArray updates) => database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "update", collection.CollectionNamespace.CollectionName }, { "updates", updates }, { "ordered", ordered } }, null, Cancel);

        static void Add(BsonDocument total, BsonDocument reply, int first)
        {
            total["n"] = total["n"].AsInt32 + reply["n"].AsInt32;
            total["nModified"] = total["nModified"].AsInt32 + reply["nModified"].AsInt32;
            foreach (var upserted in reply.GetValue("upserted", new BsonArray()).AsBsonArray)
            {
                total["upserted"].AsBsonArray.Add(new BsonArray { upserted["index"].ToInt32() + first, upserted["_id"] });
            }

            foreach (var error in reply.GetValue("writeErrors", new BsonArray()).AsBsonArray)
            {
                total["errors"].AsBsonArray.Add(new BsonArray { error["index"].ToInt32() + first, error["code"] });
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Updates_of_many_count_what_they_changed(bool inTransaction)
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        foreach (var (updates, modified) in ((string, int)[])
        [
            ("{q: {}, u: {$set: {a: 1}}, multi: true}", 2),
            ("{q: {}, u: {$inc: {n: 0}}, multi: true}", 0),
            ("{q: {}, u: [{$set: {a: 1}}], multi: true}", 2),
            ("{q: {_id: 1}, u: {$set: {a: 1}}}, {q: {}, u: {$set: {a: 1}}, multi: true}, {q: {_id: 2}, u: {$inc: {n: 0}}}, {q: {}, u: {$unset: {z: 1}}, "
                + "multi: true}", 2),
            ("{q: {}, u: {$set: {a: 1}}, multi: true}, {q: {a: 1}, u: {$set: {a: 2}}, multi: true}, {q: {_id: 9}, u: {$set: {a: 2}}, multi: true, "
                + "upsert: true}", 5),
            ("{q: {_id: 1}, u: {$set: {a: 1}}, multi: true}, {q: {_id: 2}, u: {$set: {a: 1}}, multi: true}, {q: {_id: 3}, u: {$inc: {n: 0}}}", 1),
        ])
        {
            await documents.DeleteManyAsync("{}", Cancel);
            await documents.InsertManyAsync(
                [BsonDocument.Parse("{_id: 1, a: 1, n: 1}"), BsonDocument.Parse("{_id: 2, a: 2, n: 1}"), BsonDocument.Parse("{_id: 3, a: 3, n: 1}")],
                null,
                Cancel);
            var command = BsonDocument.Parse($"{{update: 'c', updates: [{updates}]}}");
            if (inTransaction)
            {
                session.StartTransaction();
                Assert.Equal(modified, (await database.RunCommandAsync<BsonDocument>(session, command, null, Cancel))["nModified"].AsInt32);
                await session.CommitTransactionAsync(Cancel);
            }
            else
            {
                Assert.Equal(modified, (await database.RunCommandAsync<BsonDocument>(command, null, Cancel))["nModified"].AsInt32);
            }
        }
    }

    [Theory]
    [InlineData("{update: 'c', updates: [{q: {}, u: {$inc: {n: 1}}, multi: true}]}", "Cannot use (or request) retryable writes with multi=true")]
    [InlineData("{update: 'c', updates: [{q: {_id: 1}, u: {$inc: {n: 1}}}, {q: {}, u: {$inc: {n: 1}}, multi: "
        + "true}]}", "Cannot use (or request) retryable writes with multi=true")]
    [InlineData("{delete: 'c', deletes: [{q: {}, limit: 0}]}", "Cannot use (or request) retryable writes with limit=0")]
    [InlineData("{delete: 'c', deletes: [{q: {_id: 9}, limit: 1}, {q: {_id: 1}, limit: 0}]}", "Cannot use (or request) retryable writes with limit=0")]
    public async Task A_write_of_many_cannot_be_retryable(string text, string message)
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(BsonDocument.Parse("{_id: 1, n: 0}"), null, Cancel);
        var command = BsonDocument.Parse(text);
        command.Add("lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)));
        command.Add("txnNumber", 1L);
        command.Add("$db", database.DatabaseNamespace.DatabaseName);
        await using var client = await LoginAsync(gateway.Port);

        var reply = await client.CommandAsync(command, Cancel);

        Assert.Equal((72, message), (reply["code"].AsInt32, reply["errmsg"].AsString));
        Assert.Equal(BsonDocument.Parse("{_id: 1, n: 0}"), await database.GetCollection<BsonDocument>("c").Find("{}").SingleAsync(Cancel));
    }

    [Theory]
    [InlineData("insert")]
    [InlineData("update")]
    [InlineData("findAndModify")]
    public async Task In_a_transaction_a_key_that_was_taken_meanwhile_is_a_conflict_and_one_from_before_a_duplicate(string kind)
    {
        var documents = Collection();
        await documents.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{u: 1}", new CreateIndexOptions { Unique = true }), null, Cancel);
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "u", "before" } }, null, Cancel);

        Task WriteAsync(IClientSessionHandle session, string value) => kind switch
        {
            "insert" => documents.InsertOneAsync(session, new BsonDocument { { "_id", ObjectId.GenerateNewId() }, { "u", value } }, null, Cancel),
            "update" => documents.UpdateOneAsync(
                session,
                new BsonDocument("_id", "x" + value),
                new BsonDocument("$set", new BsonDocument("u", value)),
                new UpdateOptions { IsUpsert = true },
                Cancel),
            _ => documents.FindOneAndUpdateAsync<BsonDocument>(
                session, new BsonDocument("_id", "x" + value), new BsonDocument("$set", new BsonDocument("u", value)),
                new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true }, Cancel),
        };

        using (var session = await gateway.Client.StartSessionAsync(null, Cancel))
        {
            session.StartTransaction();
            await documents.Find(session, "{_id: 1}").SingleAsync(Cancel);
            await documents.InsertOneAsync(new BsonDocument { { "_id", 2 }, { "u", "meanwhile" } }, null, Cancel);
            var conflict = await Assert.ThrowsAnyAsync<MongoException>(() => WriteAsync(session, "meanwhile"));
            Assert.True(conflict.HasErrorLabel("TransientTransactionError"), conflict.ToString());
            Assert.Equal(112, Assert.IsType<MongoCommandException>(conflict, exactMatch: false).Code);
        }

        using (var session = await gateway.Client.StartSessionAsync(null, Cancel))
        {
            session.StartTransaction();
            await documents.Find(session, "{_id: 1}").SingleAsync(Cancel);
            var duplicate = await Assert.ThrowsAnyAsync<MongoException>(() => WriteAsync(session, "before"));
            Assert.False(duplicate.HasErrorLabel("TransientTransactionError"), duplicate.ToString());
            Assert.Contains("E11000", duplicate.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{a: 1, b: [1, 2]}", 0)]
    [InlineData("{_id: 1, a: 1, b: [1, 2]}", 0)]
    [InlineData("{b: [1, 2], a: 1}", 1)]
    [InlineData("{a: 1.0, b: [1, 2]}", 1)]
    [InlineData("{$set: {a: 1}}", 0)]
    [InlineData("{$set: {a: 1.0}}", 1)]
    [InlineData("{$inc: {a: 0}}", 0)]
    [InlineData("{$mul: {a: 1}}", 0)]
    [InlineData("{$max: {a: 1}}", 0)]
    [InlineData("{$unset: {z: 1}}", 0)]
    [InlineData("{$push: {b: {$each: []}}}", 0)]
    [InlineData("{$push: {b: {$each: [], $sort: 1}}}", 0)]
    [InlineData("{$addToSet: {b: 2}}", 0)]
    [InlineData("{$pull: {b: 9}}", 0)]
    [InlineData("{$set: {'b.$[e]': 2}}", 0)]
    [InlineData("[{$set: {a: 1}}]", 0)]
    [InlineData("[{$set: {a: {$add: ['$a', 0]}}}]", 0)]
    [InlineData("[{$replaceWith: {a: '$a', b: '$b'}}]", 0)]
    [InlineData("[{$set: {a: 2}}]", 1)]
    public async Task An_update_that_changes_nothing_matches_and_modifies_nothing(string update, int modified)
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        var given = BsonDocument.Parse($"{{u: {update}}}")["u"];
        var isReplacement = given is BsonDocument replacement && replacement.GetElement(0).Name[0] != '$';
        var document = BsonDocument.Parse("{_id: 1, a: 1, b: [1, 2]}");
        var filters = update.Contains("$[e]", StringComparison.Ordinal) ? new BsonArray { BsonDocument.Parse("{e: 2}") } : null;

        async Task<BsonDocument> RunAsync(bool multi, bool upsert, int statements)
        {
            await documents.ReplaceOneAsync("{_id: 1}", document, new ReplaceOptions { IsUpsert = true }, Cancel);
            var statement = new BsonDocument { { "q", new BsonDocument("_id", 1) }, { "u", given }, { "multi", multi }, { "upsert", upsert } };
            statement.Add("arrayFilters", filters, filters is not null);
            return await database.RunCommandAsync<BsonDocument>(
                new BsonDocument { { "update", "c" }, { "updates", new BsonArray(Enumerable.Repeat(statement, statements)) } }, null, Cancel);
        }

        foreach (var (multi, upsert, statements) in ((bool, bool, int)[])[(false, false, 1), (false, true, 1), (!isReplacement, false, 1), (false, false, 3)])
        {
            var reply = await RunAsync(multi, upsert, statements);
            Assert.Equal((statements, modified), (reply["n"].AsInt32, reply["nModified"].AsInt32));
        }

        await documents.ReplaceOneAsync("{_id: 1}", document, new ReplaceOptions(), Cancel);
        var command = new BsonDocument { { "findAndModify", "c" }, { "query", new BsonDocument("_id", 1) }, { "update", given } };
        command.Add("arrayFilters", filters, filters is not null);
        var found = await database.RunCommandAsync<BsonDocument>(command, null, Cancel);
        Assert.Equal((BsonDocument.Parse("{n: 1, updatedExisting: true}"), document), (found["lastErrorObject"], found["value"]));

        // In a transaction what earlier commands left unchanged does not count.
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(0, (await documents.ReplaceOneAsync(
                session, "{_id: 1}", await documents.Find(session, "{_id: 1}").SingleAsync(Cancel), new ReplaceOptions(), Cancel)).ModifiedCount);
        }

        Assert.Equal(1, (await documents.UpdateOneAsync(session, "{_id: 1}", "{$set: {z: 1}}", null, Cancel)).ModifiedCount);
    }

    [Fact]
    public async Task A_unique_index_over_duplicates_names_one_of_them()
    {
        var documents = Collection();
        await documents.InsertManyAsync(
            [BsonDocument.Parse("{k: {a: 1}, m: 'x'}"), BsonDocument.Parse("{k: {a: 1}, m: 'x'}"), BsonDocument.Parse("{k: {a: [2, 3]}}")], null, Cancel);

        var error = await Assert.ThrowsAsync<MongoCommandException>(() => documents.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>("{'k.a': 1, m: -1}", new CreateIndexOptions { Unique = true, Name = "u" }), null, Cancel));

        Assert.Equal(11000, error.Code);
        Assert.Equal(BsonDocument.Parse("{'k.a': 1, m: -1}"), error.Result["keyPattern"]);
        Assert.Equal(BsonDocument.Parse("{'k.a': 1, m: 'x'}"), error.Result["keyValue"]);
        Assert.Equal(
            $"E11000 duplicate key error collection: {documents.CollectionNamespace} index: u dup key: {{ k.a: 1, m: \"x\" }}", error.Result["errmsg"]);
    }

    [Fact]
    public async Task A_duplicate_key_of_a_merge_has_its_pattern_and_value()
    {
        var database = gateway.NewDatabase();
        var (source, target) = (database.GetCollection<BsonDocument>("source"), database.GetCollection<BsonDocument>("target"));
        await source.InsertManyAsync([BsonDocument.Parse("{_id: 1, u: 5}"), BsonDocument.Parse("{_id: 2, u: 6}")], null, Cancel);
        await target.InsertManyAsync([BsonDocument.Parse("{_id: 2, u: 9}"), BsonDocument.Parse("{_id: 7, u: 5}")], null, Cancel);
        await target.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{u: 1}", new CreateIndexOptions { Unique = true }), null, Cancel);

        var unique = await Assert.ThrowsAsync<MongoCommandException>(() => source.AggregateAsync<BsonDocument>(
            new[] { BsonDocument.Parse("{$match: {_id: 1}}"), BsonDocument.Parse("{$merge: 'target'}") }, null, Cancel));
        var found = await Assert.ThrowsAsync<MongoCommandException>(() => source.AggregateAsync<BsonDocument>(
            new[] { BsonDocument.Parse("{$match: {_id: 2}}"), BsonDocument.Parse("{$merge: {into: 'target', whenMatched: 'fail'}}") }, null, Cancel));

        Assert.Equal(
            (11000, BsonDocument.Parse("{u: 1}"), BsonDocument.Parse("{u: 5}")), (unique.Code, unique.Result["keyPattern"], unique.Result["keyValue"]));
        Assert.Equal(
            (11000, BsonDocument.Parse("{_id: 1}"), BsonDocument.Parse("{_id: 2}")), (found.Code, found.Result["keyPattern"], found.Result["keyValue"]));
        Assert.Contains("target index: _id_ dup key: { _id: 2 }", found.Message, StringComparison.Ordinal);
    }

    private IMongoCollection<BsonDocument> Collection() => gateway.NewDatabase().GetCollection<BsonDocument>("c");

    private static BsonDocument Outcome(BsonDocument reply)
    {
        foreach (var field in (ReadOnlySpan<string>)["$clusterTime", "operationTime"])
        {
            reply.Remove(field);
        }

        return reply;
    }

    private async Task<WireClient> LoginAsync(int port)
    {
        gateway.Require();
        var client = await WireClient.ConnectAsync(port, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        return client;
    }
}
