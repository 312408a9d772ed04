using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Requests;

/// <summary>Makes reply documents.</summary>
internal static class Reply
{
    /// <summary><c>{ok: 1}</c>.</summary>
    public static readonly ReadOnlyMemory<byte> Ok = new BsonDocument("ok", 1.0).ToBson();

    /// <summary>The fields followed by <c>ok: 1</c>.</summary>
    public static ReadOnlyMemory<byte> With(BsonDocument fields)
    {
        fields["ok"] = 1.0;
        return fields.ToRaw();
    }

    /// <summary>The backend's reply with <c>ok</c> as the double that clients expect.</summary>
    public static ReadOnlyMemory<byte> FromBackend(byte[]? reply)
    {
        if (reply is null)
        {
            return Ok;
        }

        var document = new RawDocument(reply);
        var builder = new BsonBuilder(reply.Length + 16);
        foreach (var element in document)
        {
            if (!element.Is("ok"u8))
            {
                builder.Add(element);
            }
        }

        return builder.Add("ok"u8, 1.0).Finish();
    }

    /// <summary>An error.</summary>
    public static ReadOnlyMemory<byte> Error(CommandException error, params IEnumerable<string> moreLabels)
    {
        var reply = new BsonDocument
        {
            { "ok", 0.0 },
            { "errmsg", error.Message },
            { "code", (int)error.Code },
            { "codeName", Enum.IsDefined(error.Code) ? error.Code.ToString() : $"Location{(int)error.Code}" },
        };
        if (error.Details is { } details)
        {
            reply.AddRange(details);
        }

        var labels = error.Labels.Union(moreLabels).ToList();
        if (labels.Count > 0)
        {
            reply.Add("errorLabels", new BsonArray(labels));
        }

        return reply.ToBson();
    }
}
