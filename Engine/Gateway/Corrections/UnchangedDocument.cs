using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// An update that leaves a document as it was. The backend counts it as modified; a trigger of each collection counts such documents (see
/// <c>Statements.OwnSchema</c>), which are taken off here. Of a findAndModify it says that it found nothing, although it returns what it found. It may
/// go when <c>{update: "c", updates: [{q: {_id: 1}, u: {$set: {a: 1}}}]}</c>, sent twice, has <c>nModified: 0</c> the second time, and the
/// same findAndModify <c>updatedExisting: true</c>.
/// </summary>
internal static class UnchangedDocument
{
    /// <summary>The reply to a findAndModify, with <c>ok</c> as the double that clients expect.</summary>
    public static ReadOnlyMemory<byte> InReply(RawDocument reply)
    {
        var found = reply.TryGet("value"u8, out var value) && value.Type == BsonType.Document;
        var builder = new BsonBuilder(reply.Bytes.Length + 16);
        foreach (var element in reply)
        {
            if (found && element.Is("lastErrorObject"u8) && element.Document.TryGet("updatedExisting"u8, out var existing) && !existing.Truthy
                && !element.Document.TryGet("upserted"u8, out _))
            {
                builder.Start("lastErrorObject"u8).Add("n"u8, 1).Add("updatedExisting"u8, BsonType.Boolean, [1]).End();
            }
            else if (!element.Is("ok"u8))
            {
                builder.Add(element);
            }
        }

        return builder.Add("ok"u8, 1.0).Finish();
    }

    /// <summary>The reply to an update without the documents that it left as they were.</summary>
    /// <param name="reply">The backend's reply.</param>
    /// <param name="unchanged">How many documents were updated to what they were.</param>
    /// <param name="multi">Whether statements were about many documents: the backend writes all that these match, and otherwise what it counts as
    /// modified.</param>
    public static ReadOnlyMemory<byte> InCounts(RawDocument reply, int unchanged, bool multi)
    {
        var written = (int)(reply.TryGet(multi ? "n"u8 : "nModified"u8, out var counted) ? counted.Integer ?? 0 : 0);
        if (multi && reply.TryGet("upserted"u8, out var upserted))
        {
            written -= upserted.Document.Count();
        }

        var builder = new BsonBuilder(reply.Bytes.Length);
        foreach (var field in reply)
        {
            if (field.Is("nModified"u8))
            {
                builder.Add("nModified"u8, written - unchanged);
            }
            else
            {
                builder.Add(field);
            }
        }

        return builder.Finish();
    }
}
