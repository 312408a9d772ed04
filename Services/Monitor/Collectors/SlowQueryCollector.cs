using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Monitor.Queries;

namespace Platform.Monitor.Collectors;

/// <summary>
/// Slow operations of every member, as its profiler kept them: counted by collection, and written to the log with their shape, plan and counts, without a
/// value of a document. Where the profiler is off it is turned on for what takes longer than the server's own <c>slowms</c>.
/// <see href="https://www.mongodb.com/docs/manual/reference/database-profiler/"/>
/// </summary>
/// <param name="members">The members.</param>
/// <param name="database">The database's name.</param>
/// <param name="turnsOn">Whether a profiler that is off is turned on.</param>
/// <param name="log">Keeps them.</param>
/// <param name="logger">Told of each slow operation.</param>
internal sealed partial class SlowQueryCollector(
    MongoMembers members, string database, bool turnsOn, SlowQueryLog log, ILogger<SlowQueryCollector> logger) : ICollector
{
    private const int MostInARound = 1000;
    private const int MostLogged = 20;
    private const string Profile = "system.profile";
    private const string Others = "others";

    private static readonly string[] s_operations = ["query", "insert", "update", "remove", "getmore", "command"];
    private static readonly string[] s_collections = [.. CollectionCatalogue.All.Select(definition => definition.Name), Others];

    // From zero: a rate is of what rises, and the first of a kind would not be seen.
    private readonly Dictionary<(string Collection, string Operation), long> _slow =
        s_collections.SelectMany(collection => s_operations.Select(operation => (collection, operation))).ToDictionary(key => key, _ => 0L);

    private readonly Dictionary<string, long> _scans = s_collections.ToDictionary(collection => collection, _ => 0L, StringComparer.Ordinal);
    private readonly Dictionary<string, DateTime> _read = new(StringComparer.Ordinal);
    private readonly HashSet<string> _on = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => "slow-queries";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken)
    {
        foreach (var member in members.Known)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(members.Patience);
            try
            {
                await ReadAsync(member, deadline.Token);
            }
            catch (Exception exception) when (exception is TimeoutException or MongoConnectionException or MongoNodeIsRecoveringException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // It is down, which another collector says; when it is back, its profiler may be off.
                _on.Remove(member);
            }
        }

        return
        [
            .. _slow.Select(count => new Sample(MetricCatalogue.MongoSlow, count.Value, count.Key.Collection, count.Key.Operation)),
            .. _scans.Select(count => new Sample(MetricCatalogue.MongoScans, count.Value, count.Key)),
        ];
    }

    private async Task ReadAsync(string member, CancellationToken cancellationToken)
    {
        var asked = members.Of(member, database);
        if (!_on.Contains(member))
        {
            var level = await asked.RunCommandAsync<BsonDocument>(new BsonDocument("profile", -1), ReadPreference.SecondaryPreferred, cancellationToken);
            if (level["was"].ToInt32() == 0 && turnsOn)
            {
                await asked.RunCommandAsync<BsonDocument>(new BsonDocument("profile", 1), ReadPreference.SecondaryPreferred, cancellationToken);
            }

            _on.Add(member);
            if (!_read.ContainsKey(member))
            {
                // By its clock, which writes the times of the entries, and not by ours.
                var hello = await asked.RunCommandAsync<BsonDocument>(new BsonDocument("hello", 1), ReadPreference.SecondaryPreferred, cancellationToken);
                _read[member] = hello["localTime"].ToUniversalTime();
            }
        }

        var filter = new BsonDocument { { "ts", new BsonDocument("$gt", _read[member]) }, { "ns", new BsonDocument("$ne", $"{database}.{Profile}") } };
        using var cursor = await asked.GetCollection<BsonDocument>(Profile).Find(filter).Sort(new BsonDocument("ts", 1)).Limit(MostInARound)
            .ToCursorAsync(cancellationToken);
        var logged = 0;
        while (await cursor.MoveNextAsync(cancellationToken))
        {
            foreach (var entry in cursor.Current)
            {
                _read[member] = entry["ts"].ToUniversalTime();
                if (!Count(entry))
                {
                    continue;
                }

                var (operation, shape) = log.Add(member, CollectionOf(entry), entry);
                if (++logged <= MostLogged)
                {
                    LogSlow(
                        member, operation.Collection, operation.Milliseconds, shape.Id, shape.Shape, operation.Plan, operation.Keys, operation.Documents,
                        operation.Returned, operation.Application);
                }
            }
        }
    }

    /// <summary>Counts an entry of the profiler, unless it is of what the monitor itself asks.</summary>
    internal bool Count(BsonDocument entry)
    {
        if (entry.GetValue("appName", "").ToString() == MongoMembers.ApplicationName)
        {
            return false;
        }

        var collection = CollectionOf(entry);
        var key = (collection, entry.GetValue("op", "command").ToString()!);
        _slow[key] = _slow.GetValueOrDefault(key) + 1;
        if (SlowQueryLog.PlanOf(entry).Contains("COLLSCAN", StringComparison.Ordinal))
        {
            _scans[collection] = _scans.GetValueOrDefault(collection) + 1;
        }

        return true;
    }

    // The collections of the platform have names of their own; others are counted together, as whoever may create some could name millions.
    private static string CollectionOf(BsonDocument entry)
    {
        var full = entry.GetValue("ns", "").ToString()!;
        var name = full[(full.IndexOf('.', StringComparison.Ordinal) + 1)..];
        return s_collections.Contains(name, StringComparer.Ordinal) ? name : Others;
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Slow on {Member}: {Collection}, {Millis} ms, {Id} {Shape}, plan {Plan}, keys {Keys}, documents {Documents}, returned {Returned}, by {Application}")]
    private partial void LogSlow(
        string member, string collection, long millis, string id, string shape, string plan, long keys, long documents, long returned, string application);
}
