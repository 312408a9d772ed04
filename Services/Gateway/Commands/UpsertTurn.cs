using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Platform.Gateway.Bson;
using Platform.Gateway.Protocol;

namespace Platform.Gateway.Commands;

/// <summary>
/// Upserts that name the same <c>_id</c> take turns. Where several meet on a document that does not exist yet, the engine lets
/// each insert over the others and report success; MongoDB makes one of them an insert and the rest updates of it. The turn is a lock
/// in the engine, held to the end of the transaction. A bulk write with more than 64 of them takes none, because locks are
/// few. See docs/gateway.md.
/// </summary>
internal static class UpsertTurn
{
    /// <summary>How many locks a command takes at most; a larger bulk write takes none.</summary>
    public const int Most = 64;

    /// <summary>The lock that findAndModify needs; none when it is no upsert by <c>_id</c>.</summary>
    public static long[] OfFindAndModify(string @namespace, RawDocument command) => Of(@namespace, command, "query"u8) is { } key ? [key] : [];

    /// <summary>The locks that update needs, sorted; none when no statement is an upsert by <c>_id</c>, or too many are.</summary>
    public static long[] OfUpdate(string @namespace, RawDocument command, DocumentSequence? sequence)
    {
        SortedSet<long>? keys = null;
        if (sequence is { } documents)
        {
            for (var rest = documents.Documents; !rest.IsEmpty;)
            {
                // Checked already when the message was read.
                var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
                if (!Add(new RawDocument(rest[..length])))
                {
                    return [];
                }

                rest = rest[length..];
            }
        }
        else if (command.TryGet("updates"u8, out var updates) && updates.Type == MongoDB.Bson.BsonType.Array)
        {
            foreach (var statement in updates.Document)
            {
                if (statement.Type == MongoDB.Bson.BsonType.Document && !Add(statement.Document))
                {
                    return [];
                }
            }
        }

        return keys is null ? [] : [.. keys];

        bool Add(RawDocument statement)
        {
            if (Of(@namespace, statement, "q"u8) is { } key)
            {
                (keys ??= []).Add(key);
            }

            return keys is null || keys.Count <= Most;
        }
    }

    private static long? Of(string @namespace, RawDocument statement, ReadOnlySpan<byte> filterName)
    {
        if (!statement.TryGet("upsert"u8, out var upsert) || !upsert.Truthy
            || !statement.TryGet(filterName, out var filter) || !filter.Document.TryGet("_id"u8, out var id))
        {
            return null;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(@namespace));
        hash.AppendData(id.Whole.Span);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadInt64LittleEndian(digest);
    }
}
