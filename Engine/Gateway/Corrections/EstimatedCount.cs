using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// A count without a query: the backend says what PostgreSQL's statistics say, which may be old. Up to some thousands the documents are counted;
/// beyond that the estimate stands. It may go when <c>{count: "c"}</c> is right at once after each of some inserts and deletes.
/// </summary>
internal static class EstimatedCount
{
    private const int CountedUpTo = 10_000;

    /// <summary>The command that counts the documents of one whose reply is a small estimate; null for others.</summary>
    public static RawDocument? Recount(RawDocument command, RawDocument reply)
    {
        if ((command.TryGet("query"u8, out var query) && query.Type == BsonType.Document && query.Document.Count() > 0)
            || !reply.TryGet("n"u8, out var n) || n.Integer > CountedUpTo)
        {
            return null;
        }

        var counting = new BsonBuilder(command.Bytes.Length + 64);
        foreach (var option in command)
        {
            if (!option.Is("query"u8))
            {
                counting.Add(option);
            }
        }

        return new RawDocument(counting.Start("query"u8).Start("_id"u8).Add("$exists"u8, BsonType.Boolean, [1]).Finish());
    }
}
