using Platform.Gateway.Bson;
using Platform.Gateway.Engine;

namespace Platform.Gateway.Commands;

/// <summary>What came of one transaction of a write command.</summary>
/// <param name="Count">How many of the command's statements it held.</param>
/// <param name="Reply">The engine's reply to them.</param>
/// <param name="Success">Whether all of them succeeded.</param>
internal readonly record struct WriteOutcome(int Count, ReadOnlyMemory<byte> Reply, bool Success)
{
    /// <summary>The outcome in a row, three columns from <paramref name="column"/> on: reply, success, and how many documents were updated to what they were.</summary>
    public static WriteOutcome Read(EngineReader reader, int count, int column)
    {
        var reply = reader.GetBytes(column);
        var unchanged = reader.GetInt64(column + 2);
        return new(count, unchanged == 0 ? reply : Modified(new RawDocument(reply), (int)unchanged), reader.GetBoolean(column + 1));
    }

    private static ReadOnlyMemory<byte> Modified(RawDocument reply, int unchanged)
    {
        var builder = new BsonBuilder(reply.Bytes.Length);
        foreach (var field in reply)
        {
            if (field.Is("nModified"u8))
            {
                builder.Add("nModified"u8, Math.Max(0, (int)(field.Integer ?? 0) - unchanged));
            }
            else
            {
                builder.Add(field);
            }
        }

        return builder.Finish();
    }
}
