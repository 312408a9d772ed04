using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Requests;

/// <summary>
/// A command as a client sent it: the body's bytes untouched, and the few fields that the gateway itself acts on.
/// </summary>
internal sealed class Request
{
    private const uint ChecksumPresent = 1;
    private const uint MoreToComeFlag = 1 << 1;
    private const uint ExhaustAllowedFlag = 1 << 16;

    /// <summary>The client's number of the message.</summary>
    public int Id { get; private init; }

    /// <summary>True when it came as a legacy query, which is answered by a legacy reply.</summary>
    public bool Legacy { get; private init; }

    /// <summary>True when the client does not want an answer.</summary>
    public bool MoreToCome { get; private init; }

    /// <summary>True when the client accepts several replies to this request.</summary>
    public bool ExhaustAllowed { get; private init; }

    /// <summary>True when the message came compressed, so that its answer may be, too.</summary>
    public bool Compressed { get; set; }

    /// <summary>The command document.</summary>
    public required RawDocument Body { get; init; }

    /// <summary>The first element of the body: the command's name and its main argument.</summary>
    public required RawElement Command { get; init; }

    /// <summary>The command's name, at most 64 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The database it addresses.</summary>
    public required string Database { get; init; }

    /// <summary>Document sequences beside the body.</summary>
    public IReadOnlyList<DocumentSequence> Sequences { get; private init; } = [];

    /// <summary>The logical session, if one was named.</summary>
    public Guid? Session { get; private init; }

    /// <summary>The number of the transaction or retryable write within the session.</summary>
    public long? TransactionNumber { get; private init; }

    /// <summary>True when the command is part of a multi-document transaction.</summary>
    public bool InTransaction { get; private init; }

    /// <summary>True when the command opens the transaction.</summary>
    public bool StartsTransaction { get; private init; }

    /// <summary>Which of the arguments that every command may have are there.</summary>
    public GenericFields Generic { get; private init; }

    /// <summary>The text of the main argument, usually the collection; null when it is no string.</summary>
    public string? Target { get; private init; }

    /// <summary>Finds a top-level field of the body.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out RawElement element) => Body.TryGet(name, out element);

    /// <summary>
    /// Reads a message (not a compressed one). The request points into <paramref name="message"/>. Throws
    /// <see cref="ProtocolException"/> or <see cref="BsonFormatException"/>.
    /// </summary>
    public static Request Parse(in MessageHeader header, ReadOnlyMemory<byte> message) => header.OpCode switch
    {
        OpCode.Msg => ParseMessage(header, message),
        OpCode.Query => ParseQuery(header, message),
        _ => throw new ProtocolException($"operation {(int)header.OpCode} is not supported"),
    };

    /*  OP_MSG: header | flags u32 | sections | [crc32c u32]
        section: 00 document  or  01 size i32 | name cstring | documents  */
    private static Request ParseMessage(in MessageHeader header, ReadOnlyMemory<byte> message)
    {
        if (message.Length < WireLimits.HeaderLength + 4 + 1 + 5)
        {
            throw new ProtocolException("a message is too short for a command");
        }

        var flags = BinaryPrimitives.ReadUInt32LittleEndian(message.Span[WireLimits.HeaderLength..]);
        if ((flags & 0xFFFF & ~(ChecksumPresent | MoreToComeFlag)) != 0)
        {
            throw new ProtocolException($"a message requires unknown features (flags 0x{flags:X8})");
        }

        var rest = message[(WireLimits.HeaderLength + 4)..];
        if ((flags & ChecksumPresent) != 0)
        {
            var expected = BinaryPrimitives.ReadUInt32LittleEndian(message.Span[^4..]);
            if (Checksum(message.Span[..^4]) != expected)
            {
                throw new ProtocolException("a message's checksum does not match");
            }

            rest = rest[..^4];
        }

        RawDocument? body = null;
        List<DocumentSequence>? sequences = null;
        while (!rest.IsEmpty)
        {
            var kind = rest.Span[0];
            rest = rest[1..];
            switch (kind)
            {
                case 0 when body is null:
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

        return Build(
            header.RequestId,
            body ?? throw new ProtocolException("a message has no body"),
            database: null,
            sequences,
            moreToCome: (flags & MoreToComeFlag) != 0,
            exhaustAllowed: (flags & ExhaustAllowedFlag) != 0);
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
        var nameLength = section.Span[..Math.Min(section.Length, 65)].IndexOf((byte)0);
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
    private static Request ParseQuery(in MessageHeader header, ReadOnlyMemory<byte> message)
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

        var body = RawDocument.Take(rest[(nameLength + 9)..]);
        // Some clients wrap the command to carry a read preference: {$query: {...}, $readPreference: ...}.
        foreach (var element in body)
        {
            if (element.Is("$query"u8) || element.Is("query"u8))
            {
                body = element.Document;
            }

            break;
        }

        return Build(header.RequestId, body, target[..^5], sequences: null, moreToCome: false, exhaustAllowed: false, legacy: true);
    }

    private static Request Build(
        int id,
        RawDocument body,
        string? database,
        List<DocumentSequence>? sequences,
        bool moreToCome,
        bool exhaustAllowed,
        bool legacy = false)
    {
        RawElement command = default;
        var first = true;
        Guid? session = null;
        long? number = null;
        var inTransaction = false;
        var starts = false;
        var generic = GenericFields.None;
        foreach (var element in body)
        {
            if (first)
            {
                first = false;
                command = element;
                continue;
            }

            if (element.Is("$db"u8))
            {
                database = element.Type == BsonType.String ? TextCache.Get(element.StringBytes) : null;
            }
            else if (element.Is("lsid"u8))
            {
                generic |= GenericFields.Session;
                session = element.Type == BsonType.Document ? SessionId(element.Document) : null;
            }
            else if (element.Is("txnNumber"u8))
            {
                generic |= GenericFields.TransactionNumber;
                number = element.Integer;
            }
            else if (element.Is("autocommit"u8))
            {
                generic |= GenericFields.Transaction;
                inTransaction = element.IsFalse;
            }
            else if (element.Is("startTransaction"u8))
            {
                generic |= GenericFields.Transaction;
                starts = element.Truthy;
            }
            else
            {
                generic |= Generics(element.Name);
            }
        }

        if (first)
        {
            throw new ProtocolException("a command is empty");
        }

        if (command.Name.Length is 0 or > 64)
        {
            throw new ProtocolException("a command's name is not between 1 and 64 bytes long");
        }

        return new Request
        {
            Id = id,
            Body = body,
            Command = command,
            Name = TextCache.Get(command.Name),
            Target = command.Type == BsonType.String ? TextCache.Get(command.StringBytes) : null,
            Database = database ?? throw new ProtocolException("a command names no database"),
            Sequences = sequences ?? (IReadOnlyList<DocumentSequence>)[],
            MoreToCome = moreToCome,
            ExhaustAllowed = exhaustAllowed,
            Legacy = legacy,
            Session = session,
            TransactionNumber = number,
            InTransaction = inTransaction,
            StartsTransaction = starts,
            Generic = generic,
        };
    }

    private static GenericFields Generics(ReadOnlySpan<byte> name) => name.Length switch
    {
        9 when name.SequenceEqual("maxTimeMS"u8) => GenericFields.MaxTime,
        9 when name.SequenceEqual("apiStrict"u8) => GenericFields.Api,
        10 when name.SequenceEqual("apiVersion"u8) => GenericFields.Api,
        11 when name.SequenceEqual("readConcern"u8) => GenericFields.ReadConcern,
        12 when name.SequenceEqual("writeConcern"u8) => GenericFields.WriteConcern,
        12 when name.SequenceEqual("$clusterTime"u8) => GenericFields.ClusterTime,
        15 when name.SequenceEqual("$readPreference"u8) => GenericFields.ReadPreference,
        20 when name.SequenceEqual("apiDeprecationErrors"u8) => GenericFields.Api,
        _ => GenericFields.None,
    };

    /// <summary>The id of a logical session document <c>{id: UUID, ...}</c>; null when it has another form.</summary>
    public static Guid? SessionId(RawDocument session) =>
        session.TryGet("id"u8, out var id) && id.Type == BsonType.Binary && id.Value.Length == 21 && id.Value.Span[4] == 4
            ? new Guid(id.Value.Span[5..], bigEndian: true)
            : null;

    /// <summary>CRC-32C (Castagnoli) as OP_MSG uses it.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
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
}
