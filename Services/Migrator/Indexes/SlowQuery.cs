using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>A query that the server's profiler kept.</summary>
/// <param name="Pattern">What it asked.</param>
/// <param name="Plan">How it was answered, as <c>planSummary</c> says: <c>COLLSCAN</c>, <c>IXSCAN {...}</c>.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Examined">How many documents were read.</param>
/// <param name="Returned">How many were returned.</param>
/// <param name="Sorted">Whether they were sorted in memory.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/database-profiler/"/></remarks>
internal sealed record SlowQuery(QueryPattern Pattern, string Plan, double Milliseconds, long Examined, long Returned, bool Sorted)
{
    // Reading ten for one is what the server's own documentation calls worth a look.
    private const int ManyForOne = 10;
    private const int Few = 100;

    /// <summary>Whether it read the whole collection.</summary>
    public bool ReadsAll => Plan.StartsWith("COLLSCAN", StringComparison.Ordinal);

    /// <summary>Whether another index could make it cheaper.</summary>
    public bool IsWasteful => ReadsAll || Sorted || (Examined > Few && Examined > ManyForOne * Math.Max(1, Returned));

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
        if (command is null || QueryPattern.Of(collection, command) is not { } pattern)
        {
            return null;
        }

        return new SlowQuery(
            pattern,
            entry.GetValue("planSummary", "").AsString,
            entry.GetValue("millis", 0).ToDouble(),
            entry.GetValue("docsExamined", 0).ToInt64(),
            entry.GetValue("nreturned", entry.GetValue("nMatched", 0)).ToInt64(),
            entry.GetValue("hasSortStage", false).ToBoolean());
    }
}
