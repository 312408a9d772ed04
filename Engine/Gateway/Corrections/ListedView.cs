using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Views in the list of collections: the backend says that they have the index null. It may go when listCollections shows a view without
/// <c>idIndex</c>.
/// </summary>
internal static class ListedView
{
    /// <summary>The reply to listCollections.</summary>
    public static ReadOnlyMemory<byte> InReply(byte[] reply)
    {
        if (reply.AsSpan().IndexOf("\u000AidIndex\0"u8) < 0)
        {
            return reply;
        }

        var tree = new RawDocument(reply).ToTree();
        foreach (var collection in tree["cursor"]["firstBatch"].AsBsonArray.Cast<BsonDocument>())
        {
            Correct(collection);
        }

        return tree.ToBson();
    }

    /// <summary>One entry of the list.</summary>
    public static void Correct(BsonDocument collection)
    {
        if (collection.GetValue("idIndex", BsonBoolean.True).IsBsonNull)
        {
            collection.Remove("idIndex");
        }
    }
}
