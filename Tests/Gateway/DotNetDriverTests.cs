using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.GeoJsonObjectModel;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The official .NET driver against the gateway.</summary>
[Collection(CommandsCollection.Name)]
public sealed class DotNetDriverTests(GatewayFixture gateway)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_driver_finds_a_writable_primary_of_the_replica_set()
    {
        gateway.Require();
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), cancellationToken: Cancel);
        var cluster = gateway.Client.Cluster.Description;
        Assert.Equal(MongoDB.Driver.Core.Clusters.ClusterType.ReplicaSet, cluster.Type);
        var server = Assert.Single(cluster.Servers);
        Assert.Equal(MongoDB.Driver.Core.Servers.ServerType.ReplicaSetPrimary, server.Type);
        Assert.Equal("rs0", server.ReplicaSetConfig.Name);
    }

    [Fact]
    public async Task Documents_are_written_read_changed_and_deleted()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "name", "first" }, { "price", new Decimal128(9.99m) } }, null, Cancel);
        await documents.InsertManyAsync(Enumerable.Range(2, 9).Select(i => new BsonDocument { { "_id", i }, { "name", "other" } }), null, Cancel);

        Assert.Equal(10, await documents.CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, null, Cancel));
        var first = await documents.Find(d => d["_id"] == 1).SingleAsync(Cancel);
        Assert.Equal(new Decimal128(9.99m), first["price"].AsDecimal128);

        var updated = await documents.UpdateManyAsync(
            Builders<BsonDocument>.Filter.Eq("name", "other"), Builders<BsonDocument>.Update.Inc("seen", 2), null, Cancel);
        Assert.Equal((9, 9), (updated.MatchedCount, updated.ModifiedCount));

        var upserted = await documents.ReplaceOneAsync(
            Builders<BsonDocument>.Filter.Eq("_id", 99), new BsonDocument("name", "new"), new ReplaceOptions { IsUpsert = true }, Cancel);
        Assert.Equal(99, upserted.UpsertedId);

        var modified = await documents.FindOneAndUpdateAsync(
            Builders<BsonDocument>.Filter.Eq("_id", 2),
            Builders<BsonDocument>.Update.Set("name", "second"),
            new FindOneAndUpdateOptions<BsonDocument> { ReturnDocument = ReturnDocument.After },
            Cancel);
        Assert.Equal("second", modified["name"]);

        Assert.Equal(1, (await documents.DeleteOneAsync(d => d["_id"] == 1, Cancel)).DeletedCount);
        Assert.Equal(10, await documents.EstimatedDocumentCountAsync(null, Cancel));
        Assert.Equal(["new", "other", "second"], await (await documents.DistinctAsync<string>("name", "{}", null, Cancel)).ToListAsync(Cancel));
    }

    [Fact]
    public async Task A_bulk_write_mixes_inserts_updates_and_deletes()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        var result = await documents.BulkWriteAsync(
            [
                .. Enumerable.Range(0, 2_000).Select(i => new InsertOneModel<BsonDocument>(new BsonDocument { { "_id", i }, { "n", i } })),
                new UpdateManyModel<BsonDocument>(Builders<BsonDocument>.Filter.Lt("n", 100), Builders<BsonDocument>.Update.Set("low", true)),
                new DeleteManyModel<BsonDocument>(Builders<BsonDocument>.Filter.Gte("n", 1_900)),
            ],
            null,
            Cancel);
        Assert.Equal((2_000, 100, 100), (result.InsertedCount, result.ModifiedCount, result.DeletedCount));
    }

    [Fact]
    public async Task An_unordered_bulk_write_reports_each_failed_document_and_keeps_the_others()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 2), null, Cancel);
        var error = await Assert.ThrowsAsync<MongoBulkWriteException<BsonDocument>>(() => documents.InsertManyAsync(
            [new BsonDocument("_id", 1), new BsonDocument("_id", 2), new BsonDocument("_id", 3)],
            new InsertManyOptions { IsOrdered = false },
            Cancel));
        var failed = Assert.Single(error.WriteErrors);
        Assert.Equal((1, 11000, ServerErrorCategory.DuplicateKey), (failed.Index, failed.Code, failed.Category));
        Assert.Equal(3, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task An_aggregation_joins_and_groups()
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("orders").InsertManyAsync(
            Enumerable.Range(0, 300).Select(i => new BsonDocument { { "product", i % 3 }, { "quantity", i % 5 } }), null, Cancel);
        await database.GetCollection<BsonDocument>("products").InsertManyAsync(
            Enumerable.Range(0, 3).Select(i => new BsonDocument { { "_id", i }, { "name", $"p{i}" } }), null, Cancel);

        var groups = await database.GetCollection<BsonDocument>("orders").Aggregate()
            .Group(new BsonDocument { { "_id", "$product" }, { "total", new BsonDocument("$sum", "$quantity") } })
            .Lookup("products", "_id", "_id", "product")
            .Unwind("product")
            .Sort("{ _id: 1 }")
            .ToListAsync(Cancel);
        Assert.Equal(["p0", "p1", "p2"], groups.Select(g => g["product"]["name"].AsString));
        Assert.Equal(600, groups.Sum(g => g["total"].ToInt32()));
    }

    [Fact]
    public async Task Two_sorted_cursors_of_many_batches_are_read_in_turns()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(Enumerable.Range(0, 500).Select(i => new BsonDocument { { "_id", i }, { "n", i } }), null, Cancel);
        await ReadInTurnsAsync(documents, session: null);
    }

    [Fact]
    public async Task Two_sorted_cursors_of_one_transaction_are_read_in_turns()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(Enumerable.Range(0, 499).Select(i => new BsonDocument { { "_id", i }, { "n", i } }), null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.InsertOneAsync(session, new BsonDocument { { "_id", 499 }, { "n", 499 } }, null, Cancel);
        await ReadInTurnsAsync(documents, session);
        await session.CommitTransactionAsync(Cancel);
    }

    [Fact]
    public async Task A_cursor_that_is_given_up_is_closed()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(Enumerable.Range(0, 50).Select(i => new BsonDocument("_id", i)), null, Cancel);
        var reply = await documents.Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "find", "c" }, { "sort", new BsonDocument("_id", -1) }, { "batchSize", 5 } }, null, Cancel);
        var id = reply["cursor"]["id"].AsInt64;
        var killed = await documents.Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "killCursors", "c" }, { "cursors", new BsonArray { id } } }, null, Cancel);
        Assert.Equal(id, Assert.Single(killed["cursorsKilled"].AsBsonArray).AsInt64);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => documents.Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "getMore", id }, { "collection", "c" } }, null, Cancel));
        Assert.Equal((43, "CursorNotFound"), (error.Code, error.CodeName));
    }

    [Fact]
    public async Task Text_search_uses_the_text_index()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(
            [
                new BsonDocument { { "_id", 1 }, { "name", "Green apples" } },
                new BsonDocument { { "_id", 2 }, { "name", "Fresh bread" } },
                new BsonDocument { { "_id", 3 }, { "name", "Apple pie" } },
            ],
            null,
            Cancel);
        await documents.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(Builders<BsonDocument>.IndexKeys.Text("name")), null, Cancel);
        var found = await documents.Find(Builders<BsonDocument>.Filter.Text("apple")).Sort("{ _id: 1 }").ToListAsync(Cancel);
        Assert.Equal([1, 3], found.Select(d => d["_id"].AsInt32));
    }

    [Fact]
    public async Task Places_nearby_are_found_by_distance()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>(Builders<BsonDocument>.IndexKeys.Geo2DSphere("location")), null, Cancel);
        await documents.InsertManyAsync([Place("Berlin", 13.405, 52.52), Place("Potsdam", 13.065, 52.391), Place("Munich", 11.582, 48.135)], null, Cancel);
        var near = await documents.Find(Builders<BsonDocument>.Filter.Near(
            "location", GeoJson.Point(GeoJson.Geographic(13.4, 52.5)), maxDistance: 60_000)).ToListAsync(Cancel);
        Assert.Equal(["Berlin", "Potsdam"], near.Select(d => d["_id"].AsString));

        static BsonDocument Place(string name, double longitude, double latitude) => new()
        {
            { "_id", name },
            { "location", new BsonDocument { { "type", "Point" }, { "coordinates", new BsonArray { longitude, latitude } } } },
        };
    }

    [Fact]
    public async Task A_second_value_in_a_unique_index_is_a_duplicate_key()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "sku", "a" } }, null, Cancel);
        // Built on a collection with documents, so it goes through the backend's queue: the command returns when it is usable.
        Assert.Equal("sku_1", await documents.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>("{ sku: 1 }", new CreateIndexOptions { Unique = true }), null, Cancel));
        var error = await Assert.ThrowsAsync<MongoWriteException>(() =>
            documents.InsertOneAsync(new BsonDocument { { "_id", 2 }, { "sku", "a" } }, null, Cancel));
        Assert.Equal(ServerErrorCategory.DuplicateKey, error.WriteError.Category);
        Assert.StartsWith(
            $"E11000 duplicate key error collection: {documents.CollectionNamespace.FullName} index: sku_1",
            error.WriteError.Message,
            StringComparison.Ordinal);

        var modified = await Assert.ThrowsAsync<MongoCommandException>(() => documents.FindOneAndUpdateAsync<BsonDocument>(
            Builders<BsonDocument>.Filter.Eq("_id", 3),
            Builders<BsonDocument>.Update.Set("sku", "a"),
            new FindOneAndUpdateOptions<BsonDocument, BsonDocument> { IsUpsert = true },
            Cancel));
        Assert.Equal(11000, modified.Code);
    }

    [Fact]
    public async Task A_unique_index_is_not_built_over_duplicates()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync([new BsonDocument("sku", "a"), new BsonDocument("sku", "a")], null, Cancel);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => documents.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>("{ sku: 1 }", new CreateIndexOptions { Unique = true }), null, Cancel));
        Assert.Equal(11000, error.Code);
    }

    [Fact]
    public async Task Explain_tells_an_index_scan_from_a_collection_scan()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(Enumerable.Range(0, 2_000).Select(i => new BsonDocument { { "_id", i }, { "n", i }, { "m", i } }), null, Cancel);
        await documents.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{ n: 1 }"), null, Cancel);

        var indexed = await ExplainAsync(new BsonDocument("n", 7));
        var scan = indexed["queryPlanner"]["winningPlan"]["inputStage"];
        Assert.Equal(("IXSCAN", "n_1", 1), (scan["stage"].AsString, scan["indexName"].AsString, scan["keyPattern"]["n"].ToInt32()));
        Assert.Equal((1, 1), (indexed["executionStats"]["nReturned"].ToInt32(), indexed["executionStats"]["totalDocsExamined"].ToInt32()));

        var scanned = await ExplainAsync(new BsonDocument("m", 7));
        Assert.Equal("COLLSCAN", scanned["queryPlanner"]["winningPlan"]["stage"]);
        Assert.Equal(2_000, scanned["executionStats"]["totalDocsExamined"].ToInt32());

        Task<BsonDocument> ExplainAsync(BsonDocument filter) => documents.Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "explain", new BsonDocument { { "find", "c" }, { "filter", filter } } }, { "verbosity", "executionStats" } }, null, Cancel);
    }

    [Fact]
    public async Task A_committed_transaction_is_seen_by_others_only_after_its_commit()
    {
        var database = gateway.NewDatabase();
        var (orders, stock) = (database.GetCollection<BsonDocument>("orders"), database.GetCollection<BsonDocument>("stock"));
        await stock.InsertOneAsync(new BsonDocument { { "_id", "p" }, { "left", 5 } }, null, Cancel);

        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await orders.InsertOneAsync(session, new BsonDocument("_id", 1), null, Cancel);
        await stock.UpdateOneAsync(session, s => s["_id"] == "p", Builders<BsonDocument>.Update.Inc("left", -1), null, Cancel);
        Assert.Equal(0, await orders.CountDocumentsAsync("{}", null, Cancel));
        Assert.Equal(1, await orders.CountDocumentsAsync(session, "{}", null, Cancel));
        await session.CommitTransactionAsync(Cancel);

        Assert.Equal(1, await orders.CountDocumentsAsync("{}", null, Cancel));
        Assert.Equal(4, (await stock.Find("{}").SingleAsync(Cancel))["left"]);
    }

    [Theory]
    [InlineData("directConnection=true")]
    [InlineData("directConnection=true&readPreference=nearest")]
    [InlineData("replicaSet=rs0")]
    public async Task Transactions_are_committed_and_aborted_over_every_kind_of_connection(string topology)
    {
        var name = gateway.NewDatabase().DatabaseNamespace.DatabaseName;
        using var client = new MongoClient(gateway.ConnectionString.Replace("replicaSet=rs0", topology, StringComparison.Ordinal));
        var documents = client.GetDatabase(name).GetCollection<BsonDocument>("c");
        using var session = await client.StartSessionAsync(null, Cancel);
        foreach (var committed in (bool[])[true, false])
        {
            session.StartTransaction(new TransactionOptions(readPreference: ReadPreference.Primary));
            await documents.InsertOneAsync(session, new BsonDocument("_id", committed), null, Cancel);
            await documents.UpdateOneAsync(session, "{}", "{ $inc: { n: 1 } }", null, Cancel);
            Assert.Equal(committed ? 1 : 2, (await documents.Find(session, "{}").Sort("{ _id: 1 }").ToListAsync(Cancel)).Count);
            await (committed ? session.CommitTransactionAsync(Cancel) : session.AbortTransactionAsync(Cancel));
        }

        Assert.Equal([new BsonDocument { { "_id", true }, { "n", 1 } }], await documents.Find("{}").ToListAsync(Cancel));
    }

    [Fact]
    public async Task An_aborted_transaction_leaves_nothing()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.InsertOneAsync(session, new BsonDocument("_id", 2), null, Cancel);
        await documents.DeleteOneAsync(session, d => d["_id"] == 1, null, Cancel);
        await session.AbortTransactionAsync(Cancel);
        Assert.Equal([1], (await documents.Find("{}").ToListAsync(Cancel)).Select(d => d["_id"].AsInt32));
    }

    [Fact]
    public async Task A_transaction_that_meets_a_newer_write_fails_with_a_write_conflict_and_may_be_repeated()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.Find(session, "{}").SingleAsync(Cancel);
        await documents.UpdateOneAsync("{}", Builders<BsonDocument>.Update.Inc("n", 1), null, Cancel);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() =>
            documents.UpdateOneAsync(session, "{}", Builders<BsonDocument>.Update.Inc("n", 10), null, Cancel));
        Assert.Equal((112, "WriteConflict"), (error.Code, error.CodeName));
        Assert.True(error.HasErrorLabel("TransientTransactionError"));
        await session.AbortTransactionAsync(Cancel);
        Assert.Equal(1, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    [Theory]
    [InlineData("insert")]
    [InlineData("upsert")]
    [InlineData("findAndModify")]
    public async Task A_transaction_that_began_before_a_collection_was_made_meets_a_conflict_and_succeeds_when_repeated(string kind)
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("made");
        await database.CreateCollectionAsync("other", cancellationToken: Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await database.GetCollection<BsonDocument>("other").Find(session, "{}").ToListAsync(Cancel);
        await documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => WriteAsync(2));
        Assert.Equal((112, "WriteConflict"), (error.Code, error.CodeName));
        Assert.True(error.HasErrorLabel("TransientTransactionError"), error.ToString());
        await session.AbortTransactionAsync(Cancel);
        session.StartTransaction();
        await WriteAsync(2);
        await session.CommitTransactionAsync(Cancel);
        Assert.Equal(2, await documents.CountDocumentsAsync("{}", null, Cancel));

        Task WriteAsync(int id) => kind switch
        {
            "insert" => documents.InsertOneAsync(session, new BsonDocument("_id", id), null, Cancel),
            "upsert" => documents.UpdateOneAsync(
                session, new BsonDocument("_id", id), Builders<BsonDocument>.Update.Inc("n", 1), new UpdateOptions { IsUpsert = true }, Cancel),
            _ => documents.FindOneAndUpdateAsync(
                session,
                new BsonDocument("_id", id),
                Builders<BsonDocument>.Update.Inc("n", 1),
                new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true },
                Cancel),
        };
    }

    [Fact]
    public async Task A_write_that_another_transaction_holds_is_a_write_conflict()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        using var first = await gateway.Client.StartSessionAsync(null, Cancel);
        using var second = await gateway.Client.StartSessionAsync(null, Cancel);
        first.StartTransaction();
        second.StartTransaction();
        await documents.UpdateOneAsync(first, "{}", Builders<BsonDocument>.Update.Inc("n", 1), null, Cancel);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() =>
            documents.UpdateOneAsync(second, "{}", Builders<BsonDocument>.Update.Inc("n", 1), null, Cancel));
        Assert.Equal(112, error.Code);
        await first.CommitTransactionAsync(Cancel);
        Assert.Equal(1, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    [Fact]
    public async Task Concurrent_transactions_on_one_document_lose_no_increment()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using var session = await gateway.Client.StartSessionAsync(null, Cancel);
            for (var i = 0; i < 5; i++)
            {
                await session.WithTransactionAsync(
                    async (s, cancel) =>
                    {
                        var current = await documents.Find(s, "{}").SingleAsync(cancel);
                        return await documents.UpdateOneAsync(s, "{}", Builders<BsonDocument>.Update.Set("n", current["n"].AsInt32 + 1), null, cancel);
                    },
                    cancellationToken: Cancel);
            }
        }));
        Assert.Equal(20, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    [Fact]
    public async Task A_duplicate_key_aborts_the_transaction()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        using var session = await gateway.Client.StartSessionAsync(null, Cancel);
        session.StartTransaction();
        await documents.InsertOneAsync(session, new BsonDocument("_id", 2), null, Cancel);
        var duplicate = await Assert.ThrowsAsync<MongoWriteException>(() => documents.InsertOneAsync(session, new BsonDocument("_id", 1), null, Cancel));
        Assert.Equal(ServerErrorCategory.DuplicateKey, duplicate.WriteError.Category);
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => session.CommitTransactionAsync(Cancel));
        Assert.Equal(251, error.Code);
        Assert.Equal(1, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_retryable_write_that_is_sent_again_is_done_once(int statements)
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertManyAsync(
            Enumerable.Range(0, 3).Select(i => new BsonDocument { { "_id", i }, { "n", 0 } }), null, Cancel);
        var command = new BsonDocument
        {
            { "update", "c" },
            {
                "updates", new BsonArray(Enumerable.Range(0, statements).Select(i => new BsonDocument
                {
                    { "q", new BsonDocument("_id", i) }, { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) },
                }))
            },
            { "txnNumber", 1L },
            { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)) },
            { "$db", database.DatabaseNamespace.DatabaseName },
        };
        await using var wire = await WireClient.ConnectAsync(gateway, Cancel);
        await wire.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        var first = await OutcomeAsync();
        var second = await OutcomeAsync();
        var third = await OutcomeAsync();
        Assert.Equal(statements, first["nModified"].ToInt32());
        Assert.Equal(first, second);
        Assert.Equal(first, third);
        Assert.Equal(statements, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync("{ n: 1 }", null, Cancel));

        // The clock goes on meanwhile.
        async Task<BsonDocument> OutcomeAsync()
        {
            var reply = await wire.CommandAsync(command, Cancel);
            reply.Remove("operationTime");
            reply.Remove("$clusterTime");
            return reply;
        }
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        gateway.Require();
        using var client = new MongoClient(gateway.ConnectionStringOf(GatewayFixture.User, "wrong"));
        await Assert.ThrowsAsync<MongoAuthenticationException>(() => client.ListDatabaseNamesAsync(Cancel));
        using var nobody = new MongoClient(gateway.ConnectionStringOf("nobody", "wrong"));
        await Assert.ThrowsAsync<MongoAuthenticationException>(() => nobody.ListDatabaseNamesAsync(Cancel));
        using var server = new MongoClient(gateway.ConnectionStringOf("postgres", ""));
        await Assert.ThrowsAsync<MongoAuthenticationException>(() => server.ListDatabaseNamesAsync(Cancel));
    }

    [Fact]
    public async Task A_command_before_the_login_is_refused()
    {
        gateway.Require();
        using var client = new MongoClient($"mongodb://127.0.0.1:{gateway.Port}/?replicaSet=rs0");
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => client.ListDatabaseNamesAsync(Cancel));
        Assert.Equal((13, "Unauthorized"), (error.Code, error.CodeName));
    }

    [Fact]
    public async Task An_unknown_command_is_named()
    {
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => gateway.NewDatabase()
            .RunCommandAsync<BsonDocument>(new BsonDocument("noSuchThing", 1), null, Cancel));
        Assert.Equal((59, "CommandNotFound"), (error.Code, error.CodeName));
        Assert.Contains("noSuchThing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_user_reads_and_cannot_write()
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        var user = "reader" + Guid.NewGuid().ToString("N");
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", user }, { "pwd", "first" }, { "roles", new BsonArray { "readAnyDatabase" } } }, null, Cancel);
        await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "updateUser", user }, { "pwd", "second" } }, null, Cancel);
        try
        {
            using var client = new MongoClient(gateway.ConnectionStringOf(user, "second"));
            var documents = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");
            Assert.Equal(1, await documents.CountDocumentsAsync("{}", null, Cancel));
            var write = await Assert.ThrowsAsync<MongoCommandException>(() => documents.InsertOneAsync(new BsonDocument("_id", 2), null, Cancel));
            Assert.Equal(13, write.Code);
            var drop = await Assert.ThrowsAsync<MongoCommandException>(() => documents.Database.DropCollectionAsync("c", Cancel));
            Assert.Equal(13, drop.Code);
            var create = await Assert.ThrowsAsync<MongoCommandException>(() => client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                new BsonDocument { { "createUser", "x" }, { "pwd", "x" }, { "roles", new BsonArray() } }, null, Cancel));
            Assert.Equal(13, create.Code);
            Assert.Equal(1, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync("{}", null, Cancel));
        }
        finally
        {
            await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", user), null, Cancel);
        }
    }

    [Fact]
    public async Task An_update_pipeline_that_replaces_the_root_keeps_one_id()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "a", 1 } }, null, Cancel);
        await documents.UpdateOneAsync("{}", Pipeline("{ $replaceWith: { $mergeObjects: ['$$ROOT', { b: 2 }] } }"), null, Cancel);
        await documents.FindOneAndUpdateAsync<BsonDocument>(
            "{}", Pipeline("{ $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', { c: 3 }] } } }"), null, Cancel);
        Assert.Equal("{ \"_id\" : 1, \"a\" : 1, \"b\" : 2, \"c\" : 3 }", (await documents.Find("{}").SingleAsync(Cancel)).ToJson());

        static UpdateDefinition<BsonDocument> Pipeline(string stage) =>
            Builders<BsonDocument>.Update.Pipeline(new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>([BsonDocument.Parse(stage)]));
    }

    [Fact]
    public async Task Counting_nothing_yields_no_document()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        Assert.Empty(await documents.Aggregate().Match("{ _id: 2 }").Count().ToListAsync(Cancel));
        Assert.Equal(1, Assert.Single(await documents.Aggregate().Match("{ _id: 1 }").Count().ToListAsync(Cancel)).Count);
    }

    [Fact]
    public async Task A_validator_refuses_what_it_does_not_allow()
    {
        var database = gateway.NewDatabase();
        await database.CreateCollectionAsync(
            "c",
            new CreateCollectionOptions<BsonDocument> { Validator = BsonDocument.Parse("{ $jsonSchema: { bsonType: 'object', required: ['name'] } }") },
            Cancel);
        var error = await Assert.ThrowsAsync<MongoWriteException>(() =>
            database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("x", 1), null, Cancel));
        Assert.Equal(121, error.WriteError.Code);
    }

    [Fact]
    public async Task Collections_are_listed_renamed_and_dropped()
    {
        var database = gateway.NewDatabase();
        await database.CreateCollectionAsync("a", null, Cancel);
        await database.RenameCollectionAsync("a", "b", null, Cancel);
        Assert.Equal(["b"], await (await database.ListCollectionNamesAsync(null, Cancel)).ToListAsync(Cancel));
        Assert.Contains(database.DatabaseNamespace.DatabaseName, await (await gateway.Client.ListDatabaseNamesAsync(Cancel)).ToListAsync(Cancel));
        await database.DropCollectionAsync("b", Cancel);
        await database.DropCollectionAsync("never-there", Cancel);
        await gateway.Client.DropDatabaseAsync(database.DatabaseNamespace.DatabaseName, Cancel);
        Assert.DoesNotContain(database.DatabaseNamespace.DatabaseName, await (await gateway.Client.ListDatabaseNamesAsync(Cancel)).ToListAsync(Cancel));
    }

    [Fact]
    public async Task Messages_may_be_compressed()
    {
        var database = gateway.NewDatabase();
        using var client = new MongoClient(gateway.ConnectionString + "&compressors=zlib");
        var documents = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");
        var text = string.Concat(Enumerable.Repeat("compressible ", 10_000));
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "text", text } }, null, Cancel);
        Assert.Equal(text, (await documents.Find("{}").SingleAsync(Cancel))["text"].AsString);
    }

    [Fact]
    public async Task A_document_of_almost_sixteen_megabytes_passes_and_a_larger_one_is_refused()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "data", new byte[15 * 1024 * 1024] } }, null, Cancel);
        Assert.Equal(15 * 1024 * 1024, (await documents.Find("{}").SingleAsync(Cancel))["data"].AsByteArray.Length);
        await Assert.ThrowsAnyAsync<MongoException>(() =>
            documents.Database.RunCommandAsync<BsonDocument>(
                new BsonDocument { { "insert", "c" }, { "documents", new BsonArray { new BsonDocument("data", new byte[17 * 1024 * 1024]) } } }, null, Cancel));
        Assert.Equal(1, await documents.CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task A_time_limit_ends_a_slow_query()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(Enumerable.Range(0, 3_000).Select(i => new BsonDocument { { "_id", i }, { "n", i % 7 } }), null, Cancel);
        await Assert.ThrowsAsync<MongoExecutionTimeoutException>(() => documents.Aggregate(new AggregateOptions { MaxTime = TimeSpan.FromMilliseconds(20) })
            .Lookup("c", "n", "n", "same").Unwind("same").Group("{ _id: null, n: { $sum: 1 } }").ToListAsync(Cancel));
    }

    private static async Task ReadInTurnsAsync(IMongoCollection<BsonDocument> documents, IClientSessionHandle? session)
    {
        var options = new FindOptions { BatchSize = 20 };
        var up = session is null ? documents.Find("{ n: { $gte: 0 } }", options) : documents.Find(session, "{ n: { $gte: 0 } }", options);
        var down = session is null ? documents.Find("{ n: { $gte: 0 } }", options) : documents.Find(session, "{ n: { $gte: 0 } }", options);
        using var rising = await up.Sort("{ n: 1 }").ToCursorAsync(Cancel);
        using var falling = await down.Sort("{ n: -1 }").ToCursorAsync(Cancel);
        var (ascending, descending) = (new List<int>(), new List<int>());
        while (await rising.MoveNextAsync(Cancel) && await falling.MoveNextAsync(Cancel))
        {
            ascending.AddRange(rising.Current.Select(d => d["n"].AsInt32));
            descending.AddRange(falling.Current.Select(d => d["n"].AsInt32));
        }

        while (await falling.MoveNextAsync(Cancel))
        {
            descending.AddRange(falling.Current.Select(d => d["n"].AsInt32));
        }

        Assert.Equal(Enumerable.Range(0, 500), ascending);
        Assert.Equal(Enumerable.Range(0, 500).Reverse(), descending);
    }
}
