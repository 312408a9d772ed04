using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Platform.Wire.Messages;

/// <summary>Frames documents as messages.</summary>
public static class MessageWriter
{
    private const int DocumentLength = sizeof(int);

    /// <summary>Writes an OP_MSG and returns its length in bytes.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="requestId">The number of this message.</param>
    /// <param name="responseTo">The message that it answers; 0 for a request.</param>
    /// <param name="flags">Its flags; there is no checksum.</param>
    /// <param name="document">Its body.</param>
    /// <param name="more">Elements that are put at the body's end, and the zero byte behind them; empty for none.</param>
    public static int Write(
        IBufferWriter<byte> output, int requestId, int responseTo, MessageFlags flags, ReadOnlySpan<byte> document, ReadOnlySpan<byte> more = default)
    {
        // The document grows by what is put at its end: its own length is written anew, its terminator is that of the added elements.
        var grown = Grown(document, more);
        var span = output.GetSpan(Message.BodyOffset + DocumentLength);
        new MessageHeader(Message.BodyOffset + grown, requestId, responseTo, OpCode.Msg).Write(span);
        BinaryPrimitives.WriteUInt32LittleEndian(span[WireLimits.HeaderLength..], (uint)flags);
        span[Message.BodyOffset - 1] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(span[Message.BodyOffset..], grown);
        output.Advance(Message.BodyOffset + DocumentLength);
        if (more.IsEmpty)
        {
            output.Write(document[DocumentLength..]);
        }
        else
        {
            output.Write(document[DocumentLength..^1]);
            output.Write(more);
        }

        return Message.BodyOffset + grown;
    }

    /// <summary>Writes an OP_MSG inside an OP_COMPRESSED; see <see cref="Write"/>.</summary>
    public static int WriteCompressed(
        IBufferWriter<byte> output, int requestId, int responseTo, MessageFlags flags, ReadOnlySpan<byte> document, ReadOnlySpan<byte> more = default)
    {
        const int bodyOffset = Message.BodyOffset - WireLimits.HeaderLength;
        var payload = new byte[bodyOffset + Grown(document, more)];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)flags);
        document.CopyTo(payload.AsSpan(bodyOffset));
        more.CopyTo(payload.AsSpan(payload.Length - more.Length));
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(bodyOffset), payload.Length - bodyOffset);
        var packed = Compression.Pack(OpCode.Msg, payload);
        var length = WireLimits.HeaderLength + packed.Length;
        new MessageHeader(length, requestId, responseTo, OpCode.Compressed).Write(output.GetSpan(WireLimits.HeaderLength));
        output.Advance(WireLimits.HeaderLength);
        output.Write(packed);
        return length;
    }

    /// <summary>Writes an OP_REPLY, the answer to an OP_QUERY, and returns its length in bytes.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="requestId">The number of this message.</param>
    /// <param name="responseTo">The query that it answers.</param>
    /// <param name="document">Its one document.</param>
    public static int WriteReply(IBufferWriter<byte> output, int requestId, int responseTo, ReadOnlySpan<byte> document)
    {
        /*  OP_REPLY: header | flags i32 | cursor i64 | startingFrom i32 | numberReturned i32 | documents  */
        const int awaitCapable = 8;
        const int prefix = WireLimits.HeaderLength + 20;
        var length = prefix + document.Length;
        var span = output.GetSpan(prefix);
        span[..prefix].Clear();
        new MessageHeader(length, requestId, responseTo, OpCode.Reply).Write(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[WireLimits.HeaderLength..], awaitCapable);
        BinaryPrimitives.WriteInt32LittleEndian(span[(WireLimits.HeaderLength + 16)..], 1);
        output.Advance(prefix);
        output.Write(document);
        return length;
    }

    /// <summary>The bytes of an OP_MSG, with documents beside its body.</summary>
    public static byte[] ToBytes(
        int requestId, ReadOnlySpan<byte> body, MessageFlags flags = MessageFlags.None, int responseTo = 0, params ReadOnlySpan<DocumentSequence> sequences)
    {
        var output = new ArrayBufferWriter<byte>(Message.BodyOffset + body.Length);
        Write(output, requestId, responseTo, flags, body);
        foreach (var sequence in sequences)
        {
            var name = Encoding.UTF8.GetBytes(sequence.Name);
            var head = output.GetSpan(1 + sizeof(int));
            head[0] = 1;
            BinaryPrimitives.WriteInt32LittleEndian(head[1..], sizeof(int) + name.Length + 1 + sequence.Documents.Length);
            output.Advance(1 + sizeof(int));
            output.Write(name);
            output.Write("\0"u8);
            output.Write(sequence.Documents.Span);
        }

        var bytes = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        return bytes;
    }

    private static int Grown(ReadOnlySpan<byte> document, ReadOnlySpan<byte> more) =>
        more.IsEmpty ? document.Length : document.Length - 1 + more.Length;
}
