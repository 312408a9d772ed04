using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>A query that the server's profiler kept.</summary>
/// <param name="Patterns">What it asked, of one collection or several.</param>
/// <param name="Plan">How it was answered, as <c>planSummary</c> says: <c>COLLSCAN</c>, <c>IXSCAN {...}</c>.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Examined">How many documents were read, or keys when these were more; null when the server did not count them.</param>
/// <param name="Returned">How many were returned.</param>
/// <param name="Sorted">Whether they were sorted in memory.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/database-profiler/"/></remarks>
internal sealed record SlowQuery(IReadOnlyList<QueryPattern> Patterns, string Plan, double Milliseconds, long? Examined, long Returned, bool Sorted)
{
    // Reading ten for one is what the server's own documentation calls worth a look; a hundred are read in no time whichever way.
    private const int ManyForOne = 10;
    private const int Few = 100;

    private static readonly string[] s_returned = ["nreturned", "nMatched", "ndeleted", "n"];

    /// <summary>Whether it read a whole collection.</summary>
    public bool ReadsAll => Plan.Contains("COLLSCAN", StringComparison.Ordinal);

    /// <summary>Whether another index could make it cheaper.</summary>
    public bool IsWasteful => Examined is not { } examined
        ? ReadsAll || Sorted
        : examined > Few && (ReadsAll || Sorted || examined > ManyForOne * Math.Max(1, Returned));

    /// <summary>Reads a document of <c>system.profile</c>; null when it is no query of a collection of this database.</summary>
    /// <param name="entry">The document.</param>
    public static SlowQuery? Read(BsonDocument entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var name = entry.GetValue("ns", "").AsString;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || name[(dot + 1)..] is var collection && (collection.StartsWith("system.", StringComparison.Ordinal)
            || collection.Contains('$', StringComparison.Ordinal)))
        {
            return null;
        }

        // A getMore has the command that it continues.
        var command = (entry.GetValue("originatingCommand", BsonNull.Value) as BsonDocument) ?? (entry.GetValue("command", BsonNull.Value) as BsonDocument);
        if (command is null || QueryPatterns.Of(collection, command) is not { Count: > 0 } patterns)
        {
            return null;
        }

        return new SlowQuery(
            patterns,
            entry.GetValue("planSummary", "").AsString,
            entry.GetValue("millis", 0).ToDouble(),
            entry.TryGetValue("docsExamined", out var documents) ? Math.Max(documents.ToInt64(), entry.GetValue("keysExamined", 0).ToInt64()) : null,
            s_returned.Select(field => entry.GetValue(field, BsonNull.Value)).FirstOrDefault(value => value.IsNumeric)?.ToInt64() ?? 0,
            entry.GetValue("hasSortStage", false).ToBoolean());
    }
}
