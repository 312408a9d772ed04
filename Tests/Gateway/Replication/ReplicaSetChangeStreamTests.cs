using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Change streams on three members: they see what a majority has, on each member the same, and go on over failovers.</summary>
public sealed class ReplicaSetChangeStreamTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_token_of_one_member_resumes_on_every_other()
    {
        await set.UntilWholeAsync(Cancel);
        var database = set.NewDatabase();
        var name = database.DatabaseNamespace.DatabaseName;
        var clients = set.Members.Select(m => new MongoClient(m.DirectConnectionString + "&readPreference=secondaryPreferred")).ToList();
        var streams = new List<IChangeStreamCursor<ChangeStreamDocument<BsonDocument>>>();
        foreach (var client in clients)
        {
            streams.Add(await client.GetDatabase(name).WatchAsync(cancellationToken: Cancel));
        }

        var collection = database.GetCollection<BsonDocument>("c");
        for (var i = 0; i < 20; i++)
        {
            await collection.InsertOneAsync(new BsonDocument { { "_id", i }, { "n", 0 } }, cancellationToken: Cancel);
            await collection.UpdateOneAsync(new BsonDocument("_id", i), new BsonDocument("$inc", new BsonDocument("n", 1)), cancellationToken: Cancel);
        }

        var seen = new List<List<ChangeStreamDocument<BsonDocument>>>();
        foreach (var stream in streams)
        {
            seen.Add(await TakeAsync(stream, 40));
            stream.Dispose();
        }

        Assert.All(seen, events => Assert.Equal(seen[0].Select(Text), events.Select(Text)));
        for (var i = 0; i < 39; i += 5)
        {
            var token = seen[i % 3][i].ResumeToken;
            foreach (var client in clients)
            {
                using var again = await client.GetDatabase(name).WatchAsync(new ChangeStreamOptions { ResumeAfter = token }, Cancel);
                Assert.Equal(seen[0].Skip(i + 1).Select(Text), (await TakeAsync(again, 39 - i)).Select(Text));
            }
        }

        clients.ForEach(c => c.Dispose());

        static string Text(ChangeStreamDocument<BsonDocument> change) => change.BackingDocument.ToString();
    }

    [Fact(Timeout = 240_000)]
    public async Task A_stream_misses_and_doubles_nothing_over_two_failovers_and_a_member_that_came_back_can_be_watched()
    {
        await set.UntilWholeAsync(Cancel);
        var database = set.NewDatabase();
        var collection = database.GetCollection<BsonDocument>("numbers");
        using var written = new CancellationTokenSource();
        var opened = new TaskCompletionSource();
        var count = 0;
        var seen = new List<int>();
        var interruptions = new List<string>();
        var reading = Task.Run(ReadAsync, Cancel);
        await Task.WhenAny(opened.Task, reading);
        var writing = Task.Run(async () => count = await WriteAsync(collection, written.Token), Cancel);

        var rejoined = new List<ReplicaSetMember>();
        for (var round = 0; round < 2; round++)
        {
            await UntilMoreAsync();
            var old = await set.PrimaryAsync(Cancel);
            await old.KillAsync();
            await UntilMoreAsync();
            old.Start();
            await set.UntilWholeAsync(Cancel);
            rejoined.Add(old);
        }

        await UntilMoreAsync();
        await written.CancelAsync();
        await writing;
        await reading;
        Assert.Equal(Enumerable.Range(0, count), seen);

        foreach (var member in rejoined)
        {
            using var client = new MongoClient(member.DirectConnectionString + "&readPreference=secondaryPreferred");
            using var again = await client.GetDatabase(database.DatabaseNamespace.DatabaseName).WatchAsync(cancellationToken: Cancel);
            await database.GetCollection<BsonDocument>("after").InsertOneAsync([], cancellationToken: Cancel);
            Assert.Equal("after", Assert.Single(await TakeAsync(again, 1)).CollectionNamespace.CollectionName);
        }

        // The driver opens a stream again once; whoever wants to go on longer does the same behind the last event.
        async Task ReadAsync()
        {
            BsonDocument? token = null;
            while (count == 0 || seen.Count < count)
            {
                try
                {
                    using var stream = await collection.WatchAsync(new ChangeStreamOptions { ResumeAfter = token }, Cancel);
                    opened.TrySetResult();
                    token = stream.GetResumeToken() ?? token;
                    while ((count == 0 || seen.Count < count) && await stream.MoveNextAsync(Cancel))
                    {
                        lock (seen)
                        {
                            seen.AddRange(stream.Current.Select(c => c.DocumentKey["_id"].AsInt32));
                        }

                        token = stream.GetResumeToken();
                    }
                }
                catch (Exception e) when (e is (MongoException or TimeoutException) and not MongoCommandException { Code: 286 })
                {
                    interruptions.Add(e.Message);
                }
            }
        }

        async Task UntilMoreAsync()
        {
            int before;
            lock (seen)
            {
                before = seen.Count;
            }

            await Wait.UntilAsync(
                () =>
                {
                    lock (seen)
                    {
                        return Task.FromResult(seen.Count > before + 100);
                    }
                },
                () => $"a hundred more events have come after {before}: {reading.Status}, {string.Join(" | ", interruptions.TakeLast(5))}. {set.Output}",
                Wait.Patience,
                Cancel);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task When_a_member_that_came_back_is_primary_next_tokens_from_before_resume_on_every_member()
    {
        await set.UntilWholeAsync(Cancel);
        var back = await set.PrimaryAsync(Cancel);
        var collection = set.NewDatabase().GetCollection<BsonDocument>("c");
        await collection.InsertOneAsync(new BsonDocument("_id", "before"), cancellationToken: Cancel);
        await back.KillAsync();
        await set.PrimaryAsync(Cancel);
        var known = set.Members.ToDictionary(m => m, Renewals);
        back.Start();
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        var third = set.Members.Single(m => m != back && m != primary);
        await Wait.UntilAsync(
            () => Task.FromResult(new[] { primary, third }.All(m => Renewals(m) > known[m])),
            () => $"both have heard of the member that came back. {string.Join(Environment.NewLine, set.Members.SelectMany(m => m.Lines))}",
            Wait.Patience,
            Cancel);

        BsonDocument token;
        using (var stream = await collection.WatchAsync(cancellationToken: Cancel))
        {
            await collection.InsertOneAsync(new BsonDocument("_id", "seen"), cancellationToken: Cancel);
            token = Assert.Single(await TakeAsync(stream, 1)).ResumeToken;
        }

        var begun = set.Members.ToDictionary(m => m, Beginnings);

        // Who has the most is elected; in a moment without writes that is sometimes another one.
        while (await set.PrimaryAsync(Cancel) is var current && current != back)
        {
            await RunAsync(set.Members.Single(m => m != back && m != current), new BsonDocument("replSetFreeze", 5));
            await RunAsync(current, new BsonDocument { { "replSetStepDown", 5 }, { "secondaryCatchUpPeriodSecs", 4 } });
        }

        await set.UntilWholeAsync(Cancel);
        await collection.InsertOneAsync(new BsonDocument("_id", "after"), cancellationToken: Cancel);

        // A primary that wrote something more while it stepped down was wound back, and has lost the past.
        var whole = set.Members.Where(m => Beginnings(m) == begun.GetValueOrDefault(m)).ToList();
        Assert.Contains(back, whole);
        Assert.SkipUnless(whole.Count > 1, "All but the primary were wound back on this busy machine.");
        foreach (var member in whole)
        {
            using var client = new MongoClient(member.DirectConnectionString + "&readPreference=secondaryPreferred");
            using var again = await client.GetDatabase(collection.Database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c").WatchAsync(
                new ChangeStreamOptions { ResumeAfter = token }, Cancel);
            Assert.Equal("after", Assert.Single(await TakeAsync(again, 1)).DocumentKey["_id"]);
        }

        static async Task RunAsync(ReplicaSetMember member, BsonDocument command)
        {
            using var client = new MongoClient(member.DirectConnectionString);
            await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(command, ReadPreference.Nearest, Cancel);
        }

        static int Renewals(ReplicaSetMember member) => Lines(member, "keeps the history of changes from now on, since a member has come back");

        static int Beginnings(ReplicaSetMember member) => Lines(member, "keeps the history of changes from now on, since there was none");

        static int Lines(ReplicaSetMember member, string part) => member.Lines.Count(line => line.Contains(part, StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    public async Task What_no_other_member_has_is_not_seen()
    {
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        var others = set.Members.Where(m => m != primary).ToList();
        using var client = new MongoClient(primary.DirectConnectionString);
        var collection = client.GetDatabase("held" + Guid.NewGuid().ToString("N")).GetCollection<BsonDocument>("c");
        using var stream = await collection.WatchAsync(new ChangeStreamOptions { MaxAwaitTime = TimeSpan.FromMilliseconds(500) }, Cancel);
        await collection.InsertOneAsync(new BsonDocument("_id", "before"), cancellationToken: Cancel);
        Assert.Equal("before", Assert.Single(await TakeAsync(stream, 1)).DocumentKey["_id"]);

        others.ForEach(m => m.StopPostgres());
        try
        {
            await collection.WithWriteConcern(WriteConcern.W1).InsertOneAsync(new BsonDocument("_id", "alone"), cancellationToken: Cancel);
            Assert.NotNull(await collection.Find(new BsonDocument("_id", "alone")).FirstOrDefaultAsync(Cancel));
            Assert.True(await stream.MoveNextAsync(Cancel));
            Assert.Empty(stream.Current);
        }
        finally
        {
            others.ForEach(m => m.Continue());
        }

        Assert.Equal("alone", Assert.Single(await TakeAsync(stream, 1)).DocumentKey["_id"]);
    }

    /// <summary>Writes numbers in order, each until it is acknowledged by a majority, and returns how many.</summary>
    private static async Task<int> WriteAsync(IMongoCollection<BsonDocument> collection, CancellationToken stop)
    {
        var next = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await collection.InsertOneAsync(new BsonDocument("_id", next), cancellationToken: Cancel);
                next++;
            }
            catch (MongoWriteException e) when (e.WriteError.Category == ServerErrorCategory.DuplicateKey)
            {
                // An earlier attempt was carried out, but is known to be on a majority only when another write is.
                next++;
            }
            catch (Exception e) when (e is MongoException or TimeoutException)
            {
                // There is no primary; the next attempt waits for one.
            }
        }

        return next;
    }

    private static async Task<List<ChangeStreamDocument<BsonDocument>>> TakeAsync(
        IChangeStreamCursor<ChangeStreamDocument<BsonDocument>> stream, int count)
    {
        var events = new List<ChangeStreamDocument<BsonDocument>>();
        while (events.Count < count && await stream.MoveNextAsync(Cancel))
        {
            events.AddRange(stream.Current);
        }

        return events;
    }
}
