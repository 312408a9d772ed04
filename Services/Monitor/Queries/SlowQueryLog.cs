using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MongoDB.Bson;
using Platform.Mongo.Connections;

namespace Platform.Monitor.Queries;

/// <summary>The slow operations since the monitor started, by shape, and the latest of them one by one. Holds no value of a document.</summary>
internal sealed partial class SlowQueryLog
{
    /// <summary>Most shapes; the one that was seen longest ago makes room for a new one.</summary>
    public const int MaxShapes = 500;

    /// <summary>How many single operations are kept.</summary>
    public const int MaxOperations = 200;

    private const int IdLength = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, SlowShape> _shapes = new(StringComparer.Ordinal);
    private readonly Queue<SlowOperation> _operations = new();

    /// <summary>Keeps an entry of the profiler. <see href="https://www.mongodb.com/docs/manual/reference/database-profiler/"/></summary>
    /// <param name="member">On which member it was.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="entry">The entry.</param>
    /// <returns>It, and the shape that it belongs to.</returns>
    public (SlowOperation Operation, SlowShape Shape) Add(string member, string collection, BsonDocument entry)
    {
        var command = entry.GetValue("command", new BsonDocument()) as BsonDocument ?? [];
        var text = command.ElementCount > 0 ? CommandShape.Of(command.GetElement(0).Name, command) : CommandShape.Unknown;
        // Lists of two and of fifty keys are one shape.
        var shape = Printable.Of(Repetitions().Replace(text, " × n"), 1000);
        var operation = Printable.Of(entry.GetValue("op", "command").ToString()!, 20);
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{collection} {operation} {shape}")))[..IdLength];
        var seen = new SlowOperation(
            id,
            entry.GetValue("ts", BsonNull.Value) is BsonDateTime at ? at.ToUniversalTime() : DateTime.UtcNow,
            member,
            collection,
            Number(entry, "millis"),
            PlanOf(entry),
            Number(entry, "keysExamined"),
            Number(entry, "docsExamined"),
            Number(entry, "nreturned"),
            Printable.Of(entry.GetValue("appName", "").ToString()!));
        lock (_lock)
        {
            var known = _shapes.GetValueOrDefault(id)
                ?? new SlowShape(id, collection, operation, shape, seen.Plan, seen.Application, 0, 0, 0, 0, 0, 0, seen.At, seen.At);
            known = known with
            {
                Plan = seen.Plan, Application = seen.Application, Count = known.Count + 1,
                TotalMilliseconds = known.TotalMilliseconds + seen.Milliseconds,
                MaxMilliseconds = Math.Max(known.MaxMilliseconds, seen.Milliseconds),
                Keys = known.Keys + seen.Keys, Documents = known.Documents + seen.Documents, Returned = known.Returned + seen.Returned,
                Last = seen.At > known.Last ? seen.At : known.Last,
            };
            if (_shapes.Count >= MaxShapes && !_shapes.ContainsKey(id))
            {
                _shapes.Remove(_shapes.Values.MinBy(other => other.Last)!.Id);
            }

            _shapes[id] = known;
            if (_operations.Count == MaxOperations)
            {
                _operations.Dequeue();
            }

            _operations.Enqueue(seen);
            return (seen, known);
        }
    }

    /// <summary>The shapes that took the most time together, the longest first.</summary>
    public IReadOnlyList<SlowShape> Top(int most)
    {
        lock (_lock)
        {
            return [.. _shapes.Values.OrderByDescending(shape => shape.TotalMilliseconds).ThenBy(shape => shape.Id, StringComparer.Ordinal).Take(most)];
        }
    }

    /// <summary>The latest operations, the latest first.</summary>
    public IReadOnlyList<SlowOperation> Latest(int most)
    {
        lock (_lock)
        {
            return [.. _operations.Reverse().Take(most)];
        }
    }

    /// <summary>A shape; null: there is none of this id.</summary>
    public SlowShape? Find(string id)
    {
        lock (_lock)
        {
            return _shapes.GetValueOrDefault(id);
        }
    }

    /// <summary>The plan of an entry, as the profiler sums it up.</summary>
    public static string PlanOf(BsonDocument entry) => Printable.Of(string.Create(CultureInfo.InvariantCulture, $"{entry.GetValue("planSummary", "")}"));

    private static long Number(BsonDocument entry, string field) => entry.GetValue(field, 0) is { IsNumeric: true } number ? number.ToInt64() : 0;

    [GeneratedRegex(" × [0-9]+")]
    private static partial Regex Repetitions();
}
