using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace Platform.Migrator.DryRun;

/// <summary>
/// Lets through what only reads, by a list of what is known to do so, and withholds everything else with an answer as if it had
/// been done. Reads see the database as it stands, not as the withheld commands would have left it.
/// </summary>
internal sealed class DryRunRecorder
{
    private const int ShownStatements = 3;

    private static readonly HashSet<string> s_reads = new(StringComparer.OrdinalIgnoreCase)
    {
        "hello", "isMaster", "ismaster", "saslStart", "saslContinue", "ping", "buildInfo", "connectionStatus", "getParameter", "hostInfo", "serverStatus",
        "find", "getMore", "killCursors", "count", "distinct", "explain", "listCollections", "listIndexes", "listDatabases", "collStats", "dbStats",
        "usersInfo", "endSessions", "refreshSessions", "abortTransaction",
    };

    private static readonly HashSet<string> s_envelope = new(StringComparer.Ordinal)
    {
        "lsid", "$db", "$clusterTime", "$readPreference", "txnNumber", "writeConcern", "readConcern", "autocommit", "startTransaction", "apiVersion",
    };

    private static readonly string[] s_lists = ["documents", "updates", "deletes", "indexes", "ops"];

    private readonly Lock _gate = new();
    private readonly List<WithheldCommand> _withheld = [];
    private readonly HashSet<string> _structure = new(StringComparer.Ordinal);

    /// <summary>The commands that were withheld, in order.</summary>
    public IReadOnlyList<WithheldCommand> Withheld
    {
        get
        {
            lock (_gate)
            {
                return [.. _withheld];
            }
        }
    }

    /// <summary>Decides on a command.</summary>
    public TapDecision Decide(TappedCommand command)
    {
        if (IsRead(command))
        {
            // No transaction is begun on the server: its writes would not be in it, and its end is withheld.
            return command.Document.Contains("autocommit")
                ? command.Name == "abortTransaction"
                    ? new TapDecision(new BsonDocument("ok", 1))
                    : new TapDecision(Reply: null, Outside(command.Document))
                : TapDecision.Forward;
        }

        if (command.Name != "commitTransaction")
        {
            Keep(command);
        }

        return new TapDecision(AnswerTo(command));
    }

    /// <summary>Whether a command is known to change nothing.</summary>
    public static bool IsRead(TappedCommand command) =>
        s_reads.Contains(command.Name) || (command.Name == "aggregate" && !Writes(command.Document));

    private static bool Writes(BsonDocument aggregate) =>
        aggregate.GetValue("pipeline", new BsonArray()).AsBsonArray.LastOrDefault() is BsonDocument { ElementCount: 1 } stage
        && stage.GetElement(0).Name is "$out" or "$merge";

    private static BsonDocument Outside(BsonDocument command) =>
        new(command.Where(element => element.Name is not ("txnNumber" or "autocommit" or "startTransaction" or "readConcern")));

    private void Keep(TappedCommand command)
    {
        var subject = command.Document.GetElement(0).Value is BsonString text ? text.Value : null;
        var shown = new BsonDocument(command.Document.Where(element => !s_envelope.Contains(element.Name)));
        var statements = 1;
        foreach (var list in s_lists.Where(list => shown.GetValue(list, BsonNull.Value) is BsonArray))
        {
            var all = shown[list].AsBsonArray;
            statements = all.Count;
            if (all.Count > ShownStatements)
            {
                shown[list] = new BsonArray(all.Take(ShownStatements)) { $"and {all.Count - ShownStatements} more" };
            }
        }

        var rendered = shown.ToJson(new JsonWriterSettings { OutputMode = JsonOutputMode.RelaxedExtendedJson });
        lock (_gate)
        {
            // As nothing is created, whoever looks again finds it missing again.
            if (command.Name is not ("create" or "createIndexes" or "collMod") || _structure.Add(rendered))
            {
                _withheld.Add(new WithheldCommand(command.Name, subject, rendered, statements));
            }
        }
    }

    private static BsonDocument AnswerTo(TappedCommand command)
    {
        int Count(string list) => command.Document.GetValue(list, BsonNull.Value) is BsonArray entries ? entries.Count : 0;
        return command.Name switch
        {
            "insert" => new BsonDocument { { "n", Count("documents") }, { "ok", 1 } },
            "update" => new BsonDocument { { "n", Count("updates") }, { "nModified", Count("updates") }, { "ok", 1 } },
            "delete" => new BsonDocument { { "n", Count("deletes") }, { "ok", 1 } },
            "findAndModify" => new BsonDocument
            {
                { "value", BsonNull.Value },
                { "lastErrorObject", new BsonDocument { { "n", 0 }, { "updatedExisting", false } } },
                { "ok", 1 },
            },
            "createIndexes" => new BsonDocument
            {
                { "numIndexesBefore", 1 },
                { "numIndexesAfter", 1 + Count("indexes") },
                { "createdCollectionAutomatically", false },
                { "ok", 1 },
            },
            "aggregate" => new BsonDocument
            {
                {
                    "cursor",
                    new BsonDocument { { "id", 0L }, { "ns", $"{command.Database}.{command.Document["aggregate"]}" }, { "firstBatch", new BsonArray() } }
                },
                { "ok", 1 },
            },
            _ => new BsonDocument("ok", 1),
        };
    }
}
