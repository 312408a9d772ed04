using System.Collections.Concurrent;
using System.Diagnostics;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Tests.Gateway.Replication;

/// <summary>
/// Inserts numbers as a service would, with majority writes and the driver's own retries, and remembers which of them were acknowledged.
/// </summary>
internal sealed class CountingWriter : IAsyncDisposable
{
    private const int Writers = 4;

    private readonly IMongoCollection<BsonDocument> _collection;
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<int, bool> _acknowledged = new();
    private readonly Task _writing;
    private int _next;
    private long _last = Stopwatch.GetTimestamp();
    private long _longest;

    /// <summary>Starts it on a collection.</summary>
    public CountingWriter(IMongoCollection<BsonDocument> collection)
    {
        _collection = collection.WithWriteConcern(WriteConcern.WMajority);
        _writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(WriteAsync)));
    }

    /// <summary>How many writes were acknowledged.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>The longest time without an acknowledgement.</summary>
    public TimeSpan LongestGap => Stopwatch.GetElapsedTime(0, Math.Max(Volatile.Read(ref _longest), Stopwatch.GetTimestamp() - Volatile.Read(ref _last)));

    /// <summary>Waits until writes are acknowledged again, or for the first time.</summary>
    public async Task UntilMoreAsync(int more, CancellationToken cancellationToken)
    {
        var goal = Acknowledged + more;
        await Wait.UntilAsync(() => Task.FromResult(Acknowledged >= goal), () => $"{more} more writes are acknowledged", Wait.Patience, cancellationToken);
    }

    /// <summary>Ends it and returns the acknowledged numbers that are not in the collection, and how many are there twice.</summary>
    public async Task<IReadOnlyList<int>> EndAsync(CancellationToken cancellationToken)
    {
        await _ended.CancelAsync();
        await _writing;
        var stored = await _collection.Find("{}").Project("{ _id: 1 }").ToListAsync(cancellationToken);
        return [.. _acknowledged.Keys.Except(stored.Select(d => d["_id"].AsInt32))];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _writing;
        _ended.Dispose();
    }

    private async Task WriteAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref _next);
            try
            {
                await _collection.InsertOneAsync(new BsonDocument { { "_id", number }, { "pad", new string('x', 100) } }, null, _ended.Token);
                _acknowledged[number] = true;
                var now = Stopwatch.GetTimestamp();
                var gap = now - Interlocked.Exchange(ref _last, now);
                for (var longest = Volatile.Read(ref _longest); gap > longest; longest = Volatile.Read(ref _longest))
                {
                    Interlocked.CompareExchange(ref _longest, gap, longest);
                }
            }
            catch (MongoException)
            {
                // Not acknowledged: it may be stored or not.
            }
            catch (TimeoutException)
            {
                // The same.
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
