using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Platform.Gateway.Backend;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Upserts that name the same <c>_id</c> take turns. Where several meet on a document that does not exist yet, the backend lets
/// each say that it inserted one; MongoDB makes one of them an insert and the rest updates of it. The turn is a lock
/// in the backend, held to the end of the transaction: one for each <c>_id</c>, and a shared one of the collection. A bulk write with more
/// than <see cref="Most"/> of them takes that of the collection alone, and for itself, because locks are few. See docs/gateway.md. It may go when of
/// a hundred findAndModify commands at once that upsert an <c>_id</c> that is not there one alone says <c>updatedExisting: false</c>, each time.
/// </summary>
/// <param name="Collection">The key of the collection's lock.</param>
/// <param name="Documents">The keys of the documents' locks, sorted, so that no two commands wait for each other; none: the whole collection is locked.</param>
internal readonly record struct UpsertTurn(long Collection, long[] Documents)
{
    /// <summary>How many documents' locks a command takes at most.</summary>
    public const int Most = 64;

    /// <summary>Which locks there are.</summary>
    public UpsertTurnKind Kind => Documents.Length switch { 0 => UpsertTurnKind.Collection, 1 => UpsertTurnKind.Document, _ => UpsertTurnKind.Documents };

    /// <summary>The locks that findAndModify needs; null when it is no upsert by <c>_id</c>.</summary>
    public static UpsertTurn? OfFindAndModify(string @namespace, RawDocument command) =>
        Of(@namespace, command, "query"u8) is { } key ? new(Key(@namespace, null), [key]) : null;

    /// <summary>The locks that update needs; null when no statement is an upsert by <c>_id</c>.</summary>
    public static UpsertTurn? OfUpdate(string @namespace, RawDocument command, DocumentSequence? sequence)
    {
        SortedSet<long>? keys = null;
        if (sequence is { } documents)
        {
            foreach (var statement in documents)
            {
                if (!Add(statement))
                {
                    return new(Key(@namespace, null), []);
                }
            }
        }
        else if (command.TryGet("updates"u8, out var updates) && updates.Type == MongoDB.Bson.BsonType.Array)
        {
            foreach (var statement in updates.Document)
            {
                if (statement.Type == MongoDB.Bson.BsonType.Document && !Add(statement.Document))
                {
                    return new(Key(@namespace, null), []);
                }
            }
        }

        return keys is null ? null : new(Key(@namespace, null), [.. keys]);

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

        return Key(@namespace, id);
    }

    private static long Key(string @namespace, RawElement? id)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(@namespace));
        if (id is { } value)
        {
            DocumentKey.AppendTo(hash, value);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadInt64LittleEndian(digest);
    }
}
