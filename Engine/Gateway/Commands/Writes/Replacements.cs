using MongoDB.Bson;
using Platform.Gateway.ChangeStreams;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Writes;

/// <summary>
/// Finds out what change streams have to be told of a write, since rows do not show it: that documents are replaced, not updated, and which
/// transaction it is a part of. Most writes are neither, and are not slowed down.
/// </summary>
internal static class Replacements
{
    /// <summary>The message that goes in front of the write; null when there is nothing to tell.</summary>
    public static ReadOnlyMemory<byte>? Note(CommandContext context, string name, RawDocument body, DocumentSequence? sequence)
    {
        var (all, some) = name switch
        {
            "update" => OfUpdates(body, sequence),
            "findAndModify" => (body.TryGet("update"u8, out var update) && IsReplacement(update), []),
            _ => (false, (List<RawElement>)[]),
        };
        var replaces = all || some.Count > 0;
        var transaction = context.Transaction;
        var isFirst = transaction is { ToldReplacement: null };
        // In a transaction, what was told of one write holds until something else is told.
        if (!isFirst && !replaces && transaction?.ToldReplacement is not true)
        {
            return null;
        }

        if (transaction is not null)
        {
            transaction.ToldReplacement = replaces;
        }

        return WriteNote.Write(all, some, isFirst ? context.Request.Session : null, transaction?.Number ?? 0, context.User.Name);
    }

    private static (bool All, List<RawElement> Some) OfUpdates(RawDocument body, DocumentSequence? sequence)
    {
        List<RawElement> replaced = [];
        var others = false;
        if (sequence is { } documents)
        {
            foreach (var statement in documents)
            {
                if (!Take(statement, replaced, ref others))
                {
                    return (true, []);
                }
            }
        }
        else if (body.TryGet("updates"u8, out var list) && list.Type == BsonType.Array)
        {
            foreach (var statement in list.Document)
            {
                if (statement.Type == BsonType.Document && !Take(statement.Document, replaced, ref others))
                {
                    return (true, []);
                }
            }
        }

        return others || replaced.Count == 0 ? (false, replaced) : (true, []);
    }

    /// <summary>Looks at a statement; false when it replaces a document that it does not name.</summary>
    private static bool Take(RawDocument statement, List<RawElement> replaced, ref bool others)
    {
        if (!statement.TryGet("u"u8, out var update) || !IsReplacement(update))
        {
            others = true;
            return true;
        }

        if (!statement.TryGet("q"u8, out var filter) || filter.Type != BsonType.Document || !filter.Document.TryGet("_id"u8, out var id)
            || id.Type == BsonType.Document)
        {
            return false;
        }

        replaced.Add(id);
        return true;
    }

    private static bool IsReplacement(in RawElement update)
    {
        if (update.Type != BsonType.Document)
        {
            return false;
        }

        foreach (var field in update.Document)
        {
            return field.Name.Length == 0 || field.Name[0] != (byte)'$';
        }

        return true;
    }
}
