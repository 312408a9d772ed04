using Platform.Gateway.Backend;
using Platform.Gateway.Corrections;
using Platform.Wire.Bson;

namespace Platform.Gateway.Sessions;

/// <summary>What came of one transaction of a write command.</summary>
/// <param name="Count">How many of the command's statements it held.</param>
/// <param name="Reply">The backend's reply to them.</param>
/// <param name="Success">Whether all of them succeeded.</param>
internal readonly record struct WriteOutcome(int Count, ReadOnlyMemory<byte> Reply, bool Success)
{
    /// <summary>Whether it is sure that something was written.</summary>
    public bool HasWritten
    {
        get
        {
            var reply = new RawDocument(Reply);
            return reply.TryGet("upserted"u8, out _)
                || (reply.TryGet("nModified"u8, out var modified) ? modified.Integer > 0 : reply.TryGet("n"u8, out var count) && count.Integer > 0);
        }
    }

    /// <summary>
    /// The outcome in a row, three columns from <paramref name="column"/> on: reply, success, and how many documents were updated to what they were.
    /// </summary>
    /// <param name="reader">Stands on the row.</param>
    /// <param name="count">How many statements there were.</param>
    /// <param name="column">The first column.</param>
    /// <param name="multi">Whether they were updates of many documents: the backend writes all that these match, and otherwise what it counts as
    /// modified.</param>
    public static WriteOutcome Read(BackendReader reader, int count, int column, bool multi = false)
    {
        var reply = reader.GetBytes(column);
        var unchanged = (int)reader.GetInt64(column + 2);
        return new(count, unchanged == 0 ? reply : UnchangedDocument.InCounts(new RawDocument(reply), unchanged, multi), reader.GetBoolean(column + 1));
    }
}
