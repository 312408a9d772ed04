using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Platform.Gateway.Bson;
using Platform.Gateway.Protocol;

namespace Platform.Gateway.Commands;

/// <summary>
/// Upserts that name the same <c>_id</c> take turns. Where several meet on a document that does not exist yet, the engine lets
/// each insert over the others and report success; MongoDB makes one of them an insert and the rest updates of it. The turn is a lock
/// in the engine, held to the end of the transaction. A command with several update statements takes none: such bulk writes
/// would hold thousands of locks. See docs/gateway.md.
/// </summary>
internal static class UpsertTurn
{
    /// <summary>The lock that findAndModify needs; null when it is no upsert by <c>_id</c>.</summary>
    public static long? OfFindAndModify(string @namespace, RawDocument command) => Of(@namespace, command, "query"u8);

    /// <summary>The lock that update needs; null when it has not just one statement, or that is no upsert by <c>_id</c>.</summary>
    public static long? OfUpdate(string @namespace, RawDocument command, DocumentSequence? sequence)
    {
        if (sequence is { } documents)
        {
            return documents.Count == 1 ? Of(@namespace, RawDocument.Take(documents.Documents), "q"u8) : null;
        }

        if (!command.TryGet("updates"u8, out var updates) || updates.Document.Count() != 1)
        {
            return null;
        }

        return updates.Document.TryGet("0"u8, out var only) ? Of(@namespace, only.Document, "q"u8) : null;
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
