using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Tests.TestKit.Failover;

/// <summary>
/// Clients who write registers for a majority and read them linearizably, several at each, and note what they saw and when. A register is
/// used for a while only: writes without an answer would let more and more orders explain what was seen.
/// </summary>
internal sealed class RegisterLoad(IMongoDatabase database, int registers, int clients)
{
    private const int OperationsOfClient = 40;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly IMongoCollection<BsonDocument> _written = database.GetCollection<BsonDocument>("registers")
        .WithWriteConcern(WriteConcern.WMajority).WithReadPreference(ReadPreference.Primary);

    private readonly IMongoCollection<BsonDocument> _read = database.GetCollection<BsonDocument>("registers")
        .WithReadConcern(ReadConcern.Linearizable).WithReadPreference(ReadPreference.Primary);

    private readonly ConcurrentBag<RegisterOperation> _history = [];
    private long _value = RegisterOperation.Initial;
    private int _unknown;
    private int _unread;

    /// <summary>What was done and seen.</summary>
    public IReadOnlyCollection<RegisterOperation> History => _history;

    /// <summary>What happened, in a line.</summary>
    public string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"{_history.Count(operation => operation.IsWrite)} writes ({_unknown} without an answer) and {_history.Count(operation => !operation.IsWrite)} reads "
            + $"(and {_unread} without an answer) of {_history.Select(operation => operation.Key).Distinct().Count()} registers");

    /// <summary>Works until it is told to stop; the operations that are under way then come to their end.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, registers).Select(number => UseRegistersAsync(number, stop)));

    private async Task UseRegistersAsync(int number, CancellationToken stop)
    {
        for (var generation = 0; !stop.IsCancellationRequested; generation++)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"register {number}.{generation}");
            if (await MakeAsync(key))
            {
                await Task.WhenAll(Enumerable.Range(0, clients).Select(
                    client => UseAsync(key, new Random(HashCode.Combine(number, generation, client)), stop)));
            }
        }
    }

    // One that may or may not be there is not used.
    private async Task<bool> MakeAsync(string key)
    {
        try
        {
            await _written.InsertOneAsync(new BsonDocument { { "_id", key }, { "value", RegisterOperation.Initial } });
            return true;
        }
        catch (Exception exception) when (IsNoAnswer(exception))
        {
            return false;
        }
    }

    private async Task UseAsync(string key, Random random, CancellationToken stop)
    {
        for (var i = 0; i < OperationsOfClient && !stop.IsCancellationRequested; i++)
        {
            if (random.Next(2) == 0)
            {
                await WriteAsync(key);
            }
            else
            {
                await ReadAsync(key);
            }
        }
    }

    private async Task WriteAsync(string key)
    {
        var value = Interlocked.Increment(ref _value);
        var start = Stopwatch.GetTimestamp();
        try
        {
            using var patience = new CancellationTokenSource(s_patience);
            var result = await _written.UpdateOneAsync(
                new BsonDocument("_id", key), Builders<BsonDocument>.Update.Set("value", value), cancellationToken: patience.Token);
            var finish = Stopwatch.GetTimestamp();
            _history.Add(new RegisterOperation(key, IsWrite: true, value, start, finish));
            if (result.MatchedCount != 1)
            {
                _history.Add(new RegisterOperation(key, IsWrite: false, RegisterOperation.Missing, start, finish));
            }
        }
        catch (Exception exception) when (IsNoAnswer(exception))
        {
            Interlocked.Increment(ref _unknown);
            _history.Add(new RegisterOperation(key, IsWrite: true, value, start, RegisterOperation.Never));
        }
    }

    private async Task ReadAsync(string key)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            using var patience = new CancellationTokenSource(s_patience);
            var document = await _read.Find(new BsonDocument("_id", key)).FirstOrDefaultAsync(patience.Token);
            _history.Add(new RegisterOperation(
                key, IsWrite: false, document is null ? RegisterOperation.Missing : document["value"].ToInt64(), start, Stopwatch.GetTimestamp()));
        }
        catch (Exception exception) when (IsNoAnswer(exception))
        {
            Interlocked.Increment(ref _unread);
        }
    }

    // Whatever the error says, the write may have come about: nothing is concluded from it.
    private static bool IsNoAnswer(Exception exception) => exception is MongoException or TimeoutException or OperationCanceledException;
}
