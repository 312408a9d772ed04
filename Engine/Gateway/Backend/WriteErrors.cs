using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Backend;

/// <summary>Repairs the <c>writeErrors</c> of the backend's replies: their codes are encoded SQLSTATEs and their texts are its own.</summary>
internal static class WriteErrors
{
    /// <summary>
    /// The reply with server error codes and messages. In a transaction a conflict throws
    /// <see cref="CommandException"/> with <see cref="ErrorCode.WriteConflict"/>, since drivers expect it as the command's own error.
    /// </summary>
    /// <param name="reply">The backend's reply to insert, update or delete.</param>
    /// <param name="ns">The namespace <c>database.collection</c> for messages.</param>
    /// <param name="inTransaction">Whether the command belongs to a multi-document transaction.</param>
    public static ReadOnlyMemory<byte> Repair(RawDocument reply, string ns, bool inTransaction)
    {
        var builder = new BsonBuilder(reply.Bytes.Length + 256);
        foreach (var element in reply)
        {
            if (!element.Is("writeErrors"u8) || element.Type != BsonType.Array)
            {
                builder.Add(element);
                continue;
            }

            builder.Start("writeErrors"u8, BsonType.Array);
            foreach (var error in element.Document)
            {
                builder.Start(error.Name);
                RepairOne(builder, error.Document, ns, inTransaction);
                builder.End();
            }

            builder.End();
        }

        return builder.Finish();
    }

    /// <summary>
    /// The backend names the index of a duplicate key, not the key; the message gets the form that clients parse.
    /// </summary>
    public static string DuplicateKeyMessage(string ns, string message)
    {
        var index = IndexName(message);
        return $"E11000 duplicate key error collection: {ns} index: {index ?? "unknown"} dup key: {{ }}";
    }

    private static void RepairOne(BsonBuilder builder, RawDocument error, string ns, bool inTransaction)
    {
        var code = ErrorCode.UnknownError;
        var message = "";
        foreach (var field in error)
        {
            if (field.Is("code"u8) && field.Integer is { } number)
            {
                var conflict = SqlState.Decode(number) is SqlState.LockNotAvailable or SqlState.SerializationFailure or SqlState.Deadlock;
                code = conflict && inTransaction ? ErrorCode.WriteConflict : SqlState.FromReply(number);
            }
            else if (field.Is("errmsg"u8))
            {
                message = field.Text ?? "";
            }
            else
            {
                builder.Add(field);
            }
        }

        if (code == ErrorCode.NotWritablePrimary)
        {
            // Drivers look for the new primary when the command itself fails with it.
            throw new CommandException(code, "not primary");
        }

        if (code == ErrorCode.WriteConflict && inTransaction)
        {
            throw new CommandException(code, ErrorMapping.WriteConflictMessage, ErrorLabels.TransientTransaction);
        }

        builder.Add("code"u8, (int)code);
        if (code == ErrorCode.Unauthorized)
        {
            // The backend's own text tells of tables that clients know nothing of.
            message = $"not authorized on {ns} to execute this write";
        }
        else if (code == ErrorCode.DuplicateKey)
        {
            message = DuplicateKeyMessage(ns, message);
        }

        builder.Add("errmsg"u8, message);
    }

    /// <summary>The name of the index in the backend's message of a duplicate key, or in the one made of it; null when there is none.</summary>
    public static string? IndexName(string message) => Between(message, "Index '", "'") ?? Between(message, " index: ", " dup key:");

    private static string? Between(string text, string before, string after)
    {
        var start = text.IndexOf(before, StringComparison.Ordinal);
        var end = start < 0 ? -1 : text.IndexOf(after, start + before.Length, StringComparison.Ordinal);
        return end < 0 ? null : text[(start + before.Length)..end];
    }
}
