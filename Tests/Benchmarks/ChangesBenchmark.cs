using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Benchmarks;

/// <summary>Change streams: how soon an event follows its write, how many pass through one stream, many streams at once, and what they cost writes.</summary>
internal static class ChangesBenchmark
{
    private const int Inserts = 2_000;
    private const int Flood = 200_000;
    private const int Streams = 100;
    private const int SeenByAll = 500;
    private const int Updates = 2_000;

    /// <summary>Runs it: about a minute.</summary>
    public static async Task RunAsync(BenchmarkServer server, Report report, CancellationToken cancellationToken)
    {
        var settings = MongoClientSettings.FromConnectionString(server.ConnectionString);
        settings.MaxConnectionPoolSize = Streams + 50;
        using var client = new MongoClient(settings);
        var database = client.GetDatabase("changes");
        var without = await UpdateAsync(database.GetCollection<BsonDocument>("unwatched"), cancellationToken);
        await DelayAsync(report, database, cancellationToken);
        await FloodAsync(server, report, database, cancellationToken);
        await ManyAsync(report, database, cancellationToken);

        var watched = database.GetCollection<BsonDocument>("watched");
        double with;
        using (await watched.WatchAsync(cancellationToken: cancellationToken))
        {
            with = await UpdateAsync(watched, cancellationToken);
        }

        Report.Say(string.Create(CultureInfo.InvariantCulture, $"an update of 1 kB takes {without:0} µs unwatched and {with:0} µs watched (median)"));
        report.AtMost("update_watched_ratio", with / without, 1.25);
    }

    private static async Task DelayAsync(Report report, IMongoDatabase database, CancellationToken cancellationToken)
    {
        var collection = database.GetCollection<BsonDocument>("delay");
        using var stream = await collection.WatchAsync(cancellationToken: cancellationToken);
        var begun = new long[Inserts];
        var delays = new List<double>();
        var reading = Task.Run(
            async () =>
            {
                while (delays.Count < Inserts && await stream.MoveNextAsync(cancellationToken))
                {
                    var now = Stopwatch.GetTimestamp();
                    delays.AddRange(stream.Current.Select(
                        c => Stopwatch.GetElapsedTime(Volatile.Read(ref begun[c.DocumentKey["_id"].AsInt32]), now).TotalMilliseconds));
                }
            },
            cancellationToken);
        for (var i = 0; i < Inserts; i++)
        {
            Volatile.Write(ref begun[i], Stopwatch.GetTimestamp());
            await collection.InsertOneAsync(new BsonDocument { { "_id", i }, { "filler", new string('x', 200) } }, cancellationToken: cancellationToken);
        }

        await reading;
        delays.Sort();
        Report.Say(string.Create(
            CultureInfo.InvariantCulture, $"insert to event, with the insert: p95 {delays[Inserts * 95 / 100]:0.0} ms, worst {delays[^1]:0.0} ms"));
        report.AtMost("insert_to_event_p50_ms", delays[Inserts / 2], 5);
    }

    private static async Task FloodAsync(BenchmarkServer server, Report report, IMongoDatabase database, CancellationToken cancellationToken)
    {
        var collection = database.GetCollection<BsonDocument>("flood");
        using var stream = await collection.WatchAsync(cancellationToken: cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Flood; i += 1000)
                {
                    await collection.InsertManyAsync(
                        Enumerable.Range(i, 1000).Select(n => new BsonDocument { { "_id", n }, { "filler", new string('x', 200) } }),
                        cancellationToken: cancellationToken);
                }
            },
            cancellationToken);
        var (seen, half) = (0, 0L);
        while (seen < Flood && await stream.MoveNextAsync(cancellationToken))
        {
            foreach (var change in stream.Current)
            {
                if (change.DocumentKey["_id"].AsInt32 != seen++)
                {
                    throw new BenchmarkException($"Event {seen} is about {change.DocumentKey}.");
                }
            }

            half = half == 0 && seen >= Flood / 2 ? server.Gateway.ResidentBytes : half;
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        await writing;
        report.AtLeast("events_per_second", Flood / elapsed.TotalSeconds, 10_000);
        report.AtMost("memory_growth_mib", (server.Gateway.ResidentBytes - half) / 1048576.0, 64);
    }

    private static async Task ManyAsync(Report report, IMongoDatabase database, CancellationToken cancellationToken)
    {
        var collection = database.GetCollection<BsonDocument>("many");
        var begun = new long[SeenByAll];
        var delays = new ConcurrentBag<double>();
        var streams = new List<IChangeStreamCursor<ChangeStreamDocument<BsonDocument>>>();
        for (var i = 0; i < Streams; i++)
        {
            streams.Add(await collection.WatchAsync(cancellationToken: cancellationToken));
        }

        var reading = streams.ConvertAll(stream => Task.Run(
            async () =>
            {
                var next = 0;
                while (next < SeenByAll && await stream.MoveNextAsync(cancellationToken))
                {
                    var now = Stopwatch.GetTimestamp();
                    foreach (var change in stream.Current)
                    {
                        if (change.DocumentKey["_id"].AsInt32 != next)
                        {
                            throw new BenchmarkException($"A stream sees {change.DocumentKey} in place of {next}.");
                        }

                        delays.Add(Stopwatch.GetElapsedTime(Volatile.Read(ref begun[next++]), now).TotalMilliseconds);
                    }
                }
            },
            cancellationToken));
        for (var i = 0; i < SeenByAll; i++)
        {
            Volatile.Write(ref begun[i], Stopwatch.GetTimestamp());
            await collection.InsertOneAsync(new BsonDocument("_id", i), cancellationToken: cancellationToken);
        }

        await Task.WhenAll(reading);
        streams.ForEach(s => s.Dispose());
        var sorted = delays.Order().ToArray();
        Report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{Streams} streams at once: insert to event p50 {sorted[sorted.Length / 2]:0.0} ms, p95 {sorted[sorted.Length * 95 / 100]:0.0} ms"));
        report.AtLeast("streams_that_saw_all", sorted.Length / SeenByAll, Streams);
    }

    private static async Task<double> UpdateAsync(IMongoCollection<BsonDocument> collection, CancellationToken cancellationToken)
    {
        await collection.InsertManyAsync(
            Enumerable.Range(0, 100).Select(n => new BsonDocument { { "_id", n }, { "n", 0 }, { "filler", new string('x', 1000) } }),
            cancellationToken: cancellationToken);
        var times = new double[Updates];
        for (var i = 0; i < Updates; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await collection.UpdateOneAsync(
                new BsonDocument("_id", i % 100), new BsonDocument("$inc", new BsonDocument("n", 1)), cancellationToken: cancellationToken);
            times[i] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[Updates / 2];
    }
}
