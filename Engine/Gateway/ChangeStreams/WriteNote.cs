using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// What a write tells to the stream of changes by a message in WAL: a document with <c>r</c> (true, or the <c>_id</c>s of documents that are
/// replaced, not updated), and <c>l</c> and <c>n</c> (session and number of the multi-document transaction).
/// </summary>
/// <param name="ReplacesAll">Whether every row that follows and is an update replaces its document.</param>
/// <param name="Replaced">The values that do, when not all of them.</param>
/// <param name="Transaction">The multi-document transaction; null when there is none.</param>
internal sealed record WriteNote(bool ReplacesAll, IReadOnlyList<RawElement> Replaced, ChangeTransaction? Transaction)
{
    /// <summary>Reads a message. What an earlier one told of the transaction still holds.</summary>
    public static WriteNote Read(ReadOnlyMemory<byte> content, WriteNote? earlier)
    {
        var all = false;
        List<RawElement> replaced = [];
        var session = ReadOnlyMemory<byte>.Empty;
        var number = 0L;
        foreach (var field in RawDocument.Take(content))
        {
            if (field.Is("r"u8) && field.Type == BsonType.Array)
            {
                foreach (var id in field.Document)
                {
                    replaced.Add(id);
                }
            }
            else if (field.Is("r"u8))
            {
                all = field.Truthy;
            }
            else if (field.Is("l"u8))
            {
                session = field.Document.Bytes;
            }
            else if (field.Is("n"u8))
            {
                number = field.Integer ?? 0;
            }
        }

        return new WriteNote(all, replaced, session.IsEmpty ? earlier?.Transaction : new ChangeTransaction(session, number));
    }

    /// <summary>Whether an update of the document with this key, <c>{"": _id}</c>, replaces it.</summary>
    public bool Replaces(ReadOnlySpan<byte> key)
    {
        if (ReplacesAll || Replaced.Count == 0)
        {
            return ReplacesAll;
        }

        foreach (var id in Replaced)
        {
            // length i32 | type u8 | name's terminator | value | terminator
            if (key.Length > 7 && key[4] == (byte)id.Type && key[6..^1].SequenceEqual(id.Value.Span))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes a message.</summary>
    /// <param name="all">Whether every update that follows replaces its document.</param>
    /// <param name="replaced">Otherwise the <c>_id</c>s of documents that are replaced.</param>
    /// <param name="session">The session of the multi-document transaction; null when there is none, or it was told before.</param>
    /// <param name="number">Its number.</param>
    /// <param name="user">Who runs it.</param>
    public static ReadOnlyMemory<byte> Write(bool all, IReadOnlyList<RawElement> replaced, Guid? session, long number, string user)
    {
        var note = new BsonBuilder(96);
        if (all)
        {
            note.Add("r"u8, BsonType.Boolean, [1]);
        }
        else if (replaced.Count > 0)
        {
            note.Start("r"u8, BsonType.Array);
            foreach (var id in replaced)
            {
                // Nobody reads the names of these.
                note.Add("0"u8, id.Type, id.Value.Span);
            }

            note.End();
        }

        if (session is { } own)
        {
            Span<byte> id = stackalloc byte[21];
            id[0] = 16;
            id[4] = 4; // a UUID
            own.TryWriteBytes(id[5..], bigEndian: true, out _);
            Span<byte> uid = stackalloc byte[37];
            uid[0] = 32;
            SHA256.HashData(Encoding.UTF8.GetBytes($"{user}@admin"), uid[5..]);
            note.Start("l"u8).Add("id"u8, BsonType.Binary, id).Add("uid"u8, BsonType.Binary, uid).End().Add("n"u8, number);
        }

        return note.Finish();
    }
}
