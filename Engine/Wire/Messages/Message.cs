using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Wire.Messages;

/// <summary>
/// A command or a reply, read from an OP_MSG, or from the legacy OP_QUERY and OP_REPLY with which connections still begin. It points into
/// the bytes that it was read from.
/// </summary>
public readonly struct Message
{
    /// <summary>Where the body begins in an OP_MSG whose first section it is.</summary>
    public const int BodyOffset = WireLimits.HeaderLength + sizeof(uint) + 1;

    private const MessageFlags Required = (MessageFlags)0xFFFF;
    private const int LongestSequenceName = 64;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly int _bodyAt;
    private readonly int _bodyLength;

    private Message(in MessageHeader header, ReadOnlyMemory<byte> bytes, RawDocument body, int bodyAt)
    {
        Header = header;
        Body = body;
        _bytes = bytes;
        _bodyAt = bodyAt;
        _bodyLength = body.Bytes.Length;
    }

    /// <summary>The header.</summary>
    public MessageHeader Header { get; }

    /// <summary>The flags; none of a legacy message.</summary>
    public MessageFlags Flags { get; private init; }

    /// <summary>The command or the reply, without the documents that came beside it.</summary>
    public RawDocument Body { get; private init; }

    /// <summary>Documents beside the body.</summary>
    public IReadOnlyList<DocumentSequence> Sequences { get; private init; } = [];

    /// <summary>The database that an OP_QUERY addresses; null for others, whose command names it.</summary>
    public string? Database { get; private init; }

    /// <summary>Reads a message that is not compressed. Throws <see cref="ProtocolException"/> or <see cref="BsonFormatException"/>.</summary>
    public static Message Read(in MessageHeader header, ReadOnlyMemory<byte> message) => header.OpCode switch
    {
        OpCode.Msg => ReadMsg(header, message),
        OpCode.Query => ReadQuery(header, message),
        OpCode.Reply => ReadReply(header, message),
        _ => throw new ProtocolException($"operation {(int)header.OpCode} is not supported"),
    };

    /// <summary>CRC-32C (Castagnoli) as OP_MSG uses it.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    /// <summary>The body as an object tree, with each document sequence as an array in its field.</summary>
    public BsonDocument ToTree()
    {
        var tree = Body.ToTree();
        foreach (var sequence in Sequences)
        {
            tree[sequence.Name] = sequence.ToTree();
        }

        return tree;
    }

    /// <summary>The bytes of the same message with another body, and without a checksum, which would not fit any more.</summary>
    public byte[] With(ReadOnlySpan<byte> body)
    {
        var span = _bytes.Span;
        var end = span.Length - (Flags.HasFlag(MessageFlags.ChecksumPresent) ? sizeof(uint) : 0);
        byte[] bytes = [.. span[.._bodyAt], .. body, .. span[(_bodyAt + _bodyLength)..end]];
        (Header with { Length = bytes.Length }).Write(bytes);
        if (Header.OpCode == OpCode.Msg)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(WireLimits.HeaderLength), (uint)(Flags & ~MessageFlags.ChecksumPresent));
        }

        return bytes;
    }

    /*  OP_MSG: header | flags u32 | sections | [crc32c u32]
        section: 00 document  or  01 size i32 | name cstring | documents  */
    private static Message ReadMsg(in MessageHeader header, ReadOnlyMemory<byte> message)
    {
        if (message.Length < BodyOffset + 5)
        {
            throw new ProtocolException("a message is too short for a command");
        }

        var flags = (MessageFlags)BinaryPrimitives.ReadUInt32LittleEndian(message.Span[WireLimits.HeaderLength..]);
        if ((flags & Required & ~(MessageFlags.ChecksumPresent | MessageFlags.MoreToCome)) != 0)
        {
            throw new ProtocolException($"a message requires unknown features (flags 0x{(uint)flags:X8})");
        }

        var rest = message[(WireLimits.HeaderLength + sizeof(uint))..];
        if ((flags & MessageFlags.ChecksumPresent) != 0)
        {
            var expected = BinaryPrimitives.ReadUInt32LittleEndian(message.Span[^4..]);
            if (Checksum(message.Span[..^4]) != expected)
            {
                throw new ProtocolException("a message's checksum does not match");
            }

            rest = rest[..^4];
        }

        RawDocument? body = null;
        var bodyAt = 0;
        List<DocumentSequence>? sequences = null;
        var end = WireLimits.HeaderLength + sizeof(uint) + rest.Length;
        while (!rest.IsEmpty)
        {
            var kind = rest.Span[0];
            rest = rest[1..];
            switch (kind)
            {
                case 0 when body is null:
                    bodyAt = end - rest.Length;
                    body = RawDocument.Take(rest);
                    rest = rest[body.Value.Bytes.Length..];
                    break;
                case 0:
                    throw new ProtocolException("a message has two bodies");
                case 1:
                    var sequence = TakeSequence(ref rest);
                    sequences ??= [];
                    if (sequences.Exists(s => s.Name == sequence.Name))
                    {
                        throw new ProtocolException($"a message has two sequences '{sequence.Name}'");
                    }

                    sequences.Add(sequence);
                    break;
                default:
                    throw new ProtocolException($"a message has a section of unknown kind {kind}");
            }
        }

        return new Message(header, message, body ?? throw new ProtocolException("a message has no body"), bodyAt)
        {
            Flags = flags,
            Sequences = sequences ?? (IReadOnlyList<DocumentSequence>)[],
        };
    }

    private static DocumentSequence TakeSequence(ref ReadOnlyMemory<byte> rest)
    {
        if (rest.Length < 5)
        {
            throw new ProtocolException("a sequence is cut short");
        }

        var size = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
        if (size < 5 || size > rest.Length)
        {
            throw new ProtocolException($"a sequence claims {size} bytes where {rest.Length} are left");
        }

        var section = rest[4..size];
        var nameLength = section.Span[..Math.Min(section.Length, LongestSequenceName + 1)].IndexOf((byte)0);
        if (nameLength < 1)
        {
            throw new ProtocolException("a sequence has no name");
        }

        var documents = section[(nameLength + 1)..];
        var count = 0;
        for (var left = documents; !left.IsEmpty; count++)
        {
            left = left[RawDocument.Take(left).Bytes.Length..];
        }

        var name = TextCache.Get(section.Span[..nameLength]);
        rest = rest[size..];
        return new DocumentSequence(name, documents, count);
    }

    /*  OP_QUERY: header | flags i32 | fullCollectionName cstring | skip i32 | return i32 | query document | [projection]  */
    private static Message ReadQuery(in MessageHeader header, ReadOnlyMemory<byte> message)
    {
        if (message.Length < WireLimits.HeaderLength + 4 + 1)
        {
            throw new ProtocolException("a query is cut short");
        }

        var rest = message[(WireLimits.HeaderLength + 4)..];
        var nameLength = rest.Span.IndexOf((byte)0);
        if (nameLength < 0 || rest.Length < nameLength + 1 + 8 + 5)
        {
            throw new ProtocolException("a query is cut short");
        }

        var target = Encoding.UTF8.GetString(rest.Span[..nameLength]);
        if (!target.EndsWith(".$cmd", StringComparison.Ordinal))
        {
            throw new ProtocolException("legacy queries other than commands are not supported");
        }

        var bodyAt = WireLimits.HeaderLength + 4 + nameLength + 9;
        var whole = RawDocument.Take(message[bodyAt..]);
        var command = whole;
        // Some clients wrap the command to carry a read preference: {$query: {...}, $readPreference: ...}.
        foreach (var element in whole)
        {
            if (element.Is("$query"u8) || element.Is("query"u8))
            {
                command = element.Document;
            }

            break;
        }

        return new Message(header, message, whole, bodyAt) { Body = command, Database = target[..^5] };
    }

    /*  OP_REPLY: header | flags i32 | cursor i64 | startingFrom i32 | numberReturned i32 | documents  */
    private static Message ReadReply(in MessageHeader header, ReadOnlyMemory<byte> message)
    {
        const int bodyAt = WireLimits.HeaderLength + 20;
        return message.Length > bodyAt
            ? new Message(header, message, RawDocument.Take(message[bodyAt..]), bodyAt)
            : throw new ProtocolException("a reply is cut short");
    }
}
