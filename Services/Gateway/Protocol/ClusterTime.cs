using System.Buffers.Binary;
using MongoDB.Bson;

namespace Platform.Gateway.Protocol;

/// <summary>
/// The logical clock that replies carry as <c>operationTime</c> and <c>$clusterTime</c>
/// (https://github.com/mongodb/specifications/blob/master/source/causal-consistency/causal-consistency.md). There is one member, so
/// every read follows every write and the clock has only to run forward.
/// </summary>
internal static class ClusterTime
{
    // Both fields with the terminator of the reply, in which only the two times differ.
    private static readonly byte[] s_template = Template();
    private static readonly int s_operation = ValueOf("operationTime"u8);
    private static readonly int s_cluster = ValueOf("clusterTime"u8);
    private static long s_last;

    /// <summary>How many bytes the fields take, with the terminator of the document that they end.</summary>
    public static int Length => s_template.Length;

    /// <summary>Writes the fields and the terminator.</summary>
    public static void Write(Span<byte> destination)
    {
        s_template.CopyTo(destination);
        var now = Now();
        BinaryPrimitives.WriteInt64LittleEndian(destination[s_operation..], now);
        BinaryPrimitives.WriteInt64LittleEndian(destination[s_cluster..], now);
    }

    /// <summary>The time: seconds since 1970 in the upper half, and a count within the second in the lower one. It never goes back.</summary>
    public static long Now()
    {
        var clock = DateTimeOffset.UtcNow.ToUnixTimeSeconds() << 32 | 1;
        var last = Volatile.Read(ref s_last);
        while (clock > last)
        {
            var seen = Interlocked.CompareExchange(ref s_last, clock, last);
            if (seen == last)
            {
                return clock;
            }

            last = seen;
        }

        return last;
    }

    private static byte[] Template()
    {
        var fields = new BsonDocument
        {
            { "operationTime", new BsonTimestamp(0) },
            {
                "$clusterTime", new BsonDocument
                {
                    { "clusterTime", new BsonTimestamp(0) },
                    // Nothing is signed; a zero signature is what servers without authentication send.
                    { "signature", new BsonDocument { { "hash", new BsonBinaryData(new byte[20]) }, { "keyId", 0L } } },
                }
            },
        };
        return fields.ToBson()[4..];
    }

    /// <summary>Where the value of the last field of this name begins: the name of the outer field ends with that of the inner one.</summary>
    private static int ValueOf(ReadOnlySpan<byte> name) => s_template.AsSpan().LastIndexOf(name) + name.Length + 1;
}
