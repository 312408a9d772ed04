using System.Collections.Concurrent;
using System.Diagnostics;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Tests.TestKit.Failover;

/// <summary>
/// Clients who insert numbered documents for a majority, and remember which were acknowledged and when. In the end each that was is there, and
/// nothing is there that nobody sent.
/// </summary>
internal sealed class CountingWriter(IMongoCollection<BsonDocument> documents, int clients)
{
    // So that a minute is some ten thousand documents and leaves the machine time for the servers.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly IMongoCollection<BsonDocument> _documents = documents.WithWriteConcern(WriteConcern.WMajority);
    private readonly ConcurrentDictionary<long, bool> _sent = new(); // by number: whether it was acknowledged
    private readonly ConcurrentQueue<long> _acknowledgements = new();
    private readonly ConcurrentDictionary<string, int> _errors = new();
    private long _number;
    private int _storedTwice;

    /// <summary>How many writes were acknowledged.</summary>
    public int Acknowledged => _acknowledgements.Count;

    /// <summary>How many writes had no answer, or an error.</summary>
    public int Unknown => _sent.Values.Count(acknowledged => !acknowledged);

    /// <summary>How many writes were refused because they had been carried out: the driver's repetition was not recognised as one.</summary>
    public int StoredTwice => _storedTwice;

    /// <summary>The errors that callers saw, with their numbers.</summary>
    public IEnumerable<string> Errors => _errors.OrderByDescending(error => error.Value).Select(error => $"{error.Value} x {error.Key}");

    /// <summary>Writes until it is told to stop; the writes that are under way then come to their end.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, clients).Select(client => WriteAsync(client, stop)));

    /// <summary>The longest time without an acknowledgement, of those that ended after a moment; until now, when none came.</summary>
    /// <param name="since">The moment, by <see cref="Stopwatch.GetTimestamp"/>.</param>
    public TimeSpan LongestGap(long since)
    {
        long[] times = [.. _acknowledgements.Append(Stopwatch.GetTimestamp()).Order()];
        var longest = 0L;
        for (var i = 1; i < times.Length; i++)
        {
            if (times[i] >= since)
            {
                longest = Math.Max(longest, times[i] - times[i - 1]);
            }
        }

        return Stopwatch.GetElapsedTime(0, longest);
    }

    /// <summary>Compares what was acknowledged with what is there.</summary>
    /// <returns>Whose acknowledgement was wrong, who was never sent, and what is there.</returns>
    public async Task<(IReadOnlyCollection<long> Lost, IReadOnlyCollection<long> Phantoms, IReadOnlySet<long> There)> AuditAsync(
        CancellationToken cancellationToken)
    {
        var found = await _documents.WithReadConcern(ReadConcern.Majority).WithReadPreference(ReadPreference.Primary)
            .Find(FilterDefinition<BsonDocument>.Empty).Project(Builders<BsonDocument>.Projection.Include("_id")).ToListAsync(cancellationToken);
        var there = found.Select(document => document["_id"].ToInt64()).ToHashSet();
        return (
            [.. _sent.Where(sent => sent.Value && !there.Contains(sent.Key)).Select(sent => sent.Key)],
            [.. there.Where(number => !_sent.ContainsKey(number))],
            there);
    }

    private async Task WriteAsync(int client, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref _number);
            _sent[number] = false;
            try
            {
                using var patience = new CancellationTokenSource(s_patience);
                await _documents.InsertOneAsync(new BsonDocument { { "_id", number }, { "client", client } }, options: null, patience.Token);
                _acknowledgements.Enqueue(Stopwatch.GetTimestamp());
                _sent[number] = true;
            }
            catch (MongoWriteException exception) when (exception.WriteError?.Category == ServerErrorCategory.DuplicateKey)
            {
                Interlocked.Increment(ref _storedTwice);
            }
            catch (Exception exception) when (exception is MongoException or TimeoutException or OperationCanceledException)
            {
                _errors.AddOrUpdate($"{exception.GetType().Name}: {FirstLine(exception)}", 1, (_, count) => count + 1);
            }

            // Not the token of the stop: it ends the loop, and no pause is worth an exception.
            await Task.Delay(s_pause, CancellationToken.None);
        }
    }

    // Without the addresses, numbers and times, which differ from one to the next.
    private static string FirstLine(Exception exception)
    {
        var line = exception.Message.Split('\n', 2)[0].TrimEnd();
        return line.Length <= 120 ? line : line[..120];
    }
}
