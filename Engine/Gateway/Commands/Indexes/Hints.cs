using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Indexes;

/// <summary>
/// Hints of updates and deletes. The backend takes one that names no index for none, where it refuses it in queries.
/// </summary>
internal static class Hints
{
    /// <summary>The statements of an update, delete or bulkWrite that have a hint; null when none has.</summary>
    public static List<RawDocument>? Find(Request request)
    {
        if (request.Name is not ("update" or "delete" or "bulkWrite"))
        {
            return null;
        }

        var name = request.Name switch { "update" => "updates"u8, "delete" => "deletes"u8, _ => "ops"u8 };
        List<RawDocument>? hinted = null;
        foreach (var sequence in request.Sequences)
        {
            if (System.Text.Ascii.Equals(name, sequence.Name))
            {
                foreach (var statement in sequence)
                {
                    Add(ref hinted, statement);
                }
            }
        }

        if (request.Sequences.Count == 0)
        {
            foreach (var field in request.Body)
            {
                if (field.Type == BsonType.Array && field.Is(name))
                {
                    foreach (var statement in field.Document)
                    {
                        if (statement.Type == BsonType.Document)
                        {
                            Add(ref hinted, statement.Document);
                        }
                    }
                }
            }
        }

        return hinted;
    }

    /// <summary>Throws <see cref="CommandException"/> when a hint of these statements names no index.</summary>
    public static async ValueTask CheckAsync(CommandContext context, List<RawDocument> hinted)
    {
        var namespaces = context.Request.Name == "bulkWrite" ? context.ToTree().GetValue("nsInfo", new BsonArray()) as BsonArray : null;
        var indexes = new Dictionary<(string, string), IReadOnlyList<BsonDocument>?>();
        await using var lease = await context.RentAsync();
        foreach (var statement in hinted)
        {
            statement.TryGet("hint"u8, out var hint);
            if (hint.Type is not (BsonType.String or BsonType.Document))
            {
                throw new CommandException(ErrorCode.FailedToParse, "Hint must be a string or an object");
            }

            if (hint.Type == BsonType.Document && hint.Document.TryGet("$natural"u8, out var direction))
            {
                CommandOptions.CheckDirection(direction);
                continue;
            }

            var ns = namespaces is null ? (context.Request.Database, context.Collection) : Namespace(namespaces, statement);
            if (!indexes.TryGetValue(ns, out var known))
            {
                known = await IndexCommands.ListAsync(lease.Connection, ns.Item1, ns.Item2, context.CancellationToken);
                indexes.Add(ns, known);
            }

            // Without the collection there is nothing that an index could help to find.
            if (known is not null && !known.Any(hint.Text is { } name ? i => i["name"] == name : IsKeyOf(hint.Document.ToTree())))
            {
                throw new CommandException(ErrorCode.BadValue, "hint provided does not correspond to an existing index");
            }
        }
    }

    private static void Add(ref List<RawDocument>? hinted, RawDocument statement)
    {
        if (statement.TryGet("hint"u8, out var hint) && !(hint.Type == BsonType.Document && hint.Document.Count() == 0))
        {
            (hinted ??= []).Add(statement);
        }
    }

    private static Func<BsonDocument, bool> IsKeyOf(BsonDocument key) => index =>
        index["key"].AsBsonDocument is var known && known.ElementCount == key.ElementCount
        && known.Zip(key).All(pair => pair.First.Name == pair.Second.Name
            && (pair.First.Value.IsNumeric && pair.Second.Value.IsNumeric
                ? pair.First.Value.ToDouble().Equals(pair.Second.Value.ToDouble())
                : pair.First.Value == pair.Second.Value));

    private static (string Database, string Collection) Namespace(BsonArray namespaces, RawDocument operation)
    {
        foreach (var first in operation)
        {
            if (first.Integer is >= 0 and var index && index < namespaces.Count && namespaces[(int)index] is BsonDocument info
                && info.GetValue("ns", "").ToString() is { } ns && ns.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot)
            {
                return (ns[..dot], ns[(dot + 1)..]);
            }

            break;
        }

        throw new CommandException(ErrorCode.BadValue, "BulkWrite ops entry has an invalid nsInfo index.");
    }
}
