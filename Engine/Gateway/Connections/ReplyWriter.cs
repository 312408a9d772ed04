using System.Buffers;
using System.Buffers.Binary;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;
using Platform.Wire.Messages;

namespace Platform.Gateway.Connections;

/// <summary>Frames reply documents.</summary>
internal static class ReplyWriter
{
    private const int MoreToCome = 1 << 1;

    // Compressing a short reply costs more than the bytes it saves.
    private const int CompressFrom = 1024;

    /// <summary>Writes <paramref name="document"/> as the answer to a request and returns the message's length in bytes.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="request">The request answered.</param>
    /// <param name="replyId">The number of this reply.</param>
    /// <param name="responseTo">The message this reply answers: the request, or the reply before it in a stream of replies.</param>
    /// <param name="document">The reply.</param>
    /// <param name="moreToCome">Whether another reply follows without a request.</param>
    public static int Write(
        IBufferWriter<byte> output,
        Request request,
        int replyId,
        int responseTo,
        ReadOnlySpan<byte> document,
        bool moreToCome = false)
    {
        if (request.Legacy)
        {
            return WriteLegacy(output, replyId, responseTo, document);
        }

        const int prefix = WireLimits.HeaderLength + 5;
        if (request.Compressed && document.Length >= CompressFrom)
        {
            var payload = new byte[5 + document.Length - 1 + LogicalClock.Length];
            BinaryPrimitives.WriteInt32LittleEndian(payload, moreToCome ? MoreToCome : 0);
            document[..^1].CopyTo(payload.AsSpan(5));
            BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(5), payload.Length - 5);
            LogicalClock.Write(payload.AsSpan(5 + document.Length - 1));
            var packed = Compression.Pack(OpCode.Msg, payload);
            new MessageHeader(WireLimits.HeaderLength + packed.Length, replyId, responseTo, OpCode.Compressed)
                .Write(output.GetSpan(WireLimits.HeaderLength));
            output.Advance(WireLimits.HeaderLength);
            output.Write(packed);
            return WireLimits.HeaderLength + packed.Length;
        }

        // The document grows by the cluster's time: its own length is written anew, its terminator is that of the added fields.
        const int documentLength = sizeof(int);
        var length = prefix + document.Length - 1 + LogicalClock.Length;
        var span = output.GetSpan(prefix + documentLength);
        new MessageHeader(length, replyId, responseTo, OpCode.Msg).Write(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[WireLimits.HeaderLength..], moreToCome ? MoreToCome : 0);
        span[prefix - 1] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(span[prefix..], length - prefix);
        output.Advance(prefix + documentLength);
        output.Write(document[documentLength..^1]);
        LogicalClock.Write(output.GetSpan(LogicalClock.Length));
        output.Advance(LogicalClock.Length);
        return length;
    }

    /*  OP_REPLY: header | flags i32 | cursor i64 | startingFrom i32 | numberReturned i32 | documents  */
    private static int WriteLegacy(IBufferWriter<byte> output, int replyId, int responseTo, ReadOnlySpan<byte> document)
    {
        const int awaitCapable = 8;
        const int prefix = WireLimits.HeaderLength + 20;
        var length = prefix + document.Length;
        var span = output.GetSpan(prefix);
        span[..prefix].Clear();
        new MessageHeader(length, replyId, responseTo, OpCode.Reply).Write(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[WireLimits.HeaderLength..], awaitCapable);
        BinaryPrimitives.WriteInt32LittleEndian(span[(WireLimits.HeaderLength + 16)..], 1);
        output.Advance(prefix);
        output.Write(document);
        return length;
    }
}
