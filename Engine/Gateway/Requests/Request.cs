using MongoDB.Bson;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Requests;

/// <summary>
/// A command as a client sent it: the body's bytes untouched, and the few fields that the gateway itself acts on.
/// </summary>
internal sealed class Request
{
    private const int LongestName = 64;

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
    public static Request Parse(in MessageHeader header, ReadOnlyMemory<byte> message) => header.OpCode == OpCode.Reply
        ? throw new ProtocolException("a reply is no request")
        : Of(Message.Read(header, message));

    private static Request Of(in Message message)
    {
        var body = message.Body;
        var database = message.Database;
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

        if (command.Name.Length is 0 or > LongestName)
        {
            throw new ProtocolException($"a command's name is not between 1 and {LongestName} bytes long");
        }

        return new Request
        {
            Id = message.Header.RequestId,
            Body = body,
            Command = command,
            Name = TextCache.Get(command.Name),
            Target = command.Type == BsonType.String ? TextCache.Get(command.StringBytes) : null,
            Database = database ?? throw new ProtocolException("a command names no database"),
            Sequences = message.Sequences,
            MoreToCome = message.Flags.HasFlag(MessageFlags.MoreToCome),
            ExhaustAllowed = message.Flags.HasFlag(MessageFlags.ExhaustAllowed),
            Legacy = message.Header.OpCode == OpCode.Query,
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

    /// <summary>The command that an explain has inside; null when it has none.</summary>
    public Request? Explained()
    {
        if (Command.Type != BsonType.Document)
        {
            return null;
        }

        foreach (var first in Command.Document)
        {
            return new Request
            {
                Body = Command.Document,
                Command = first,
                Name = first.NameText,
                Target = first.Type == BsonType.String ? TextCache.Get(first.StringBytes) : null,
                Database = Database,
            };
        }

        return null;
    }

    /// <summary>The command as an object tree with its sequences as arrays.</summary>
    public BsonDocument ToTree()
    {
        var tree = Body.ToTree();
        foreach (var sequence in Sequences)
        {
            tree[sequence.Name] = sequence.ToTree();
        }

        return tree;
    }

    /// <summary>The id of a logical session document <c>{id: UUID, ...}</c>; null when it has another form.</summary>
    public static Guid? SessionId(RawDocument session) =>
        session.TryGet("id"u8, out var id) && id.Type == BsonType.Binary && id.Value.Length == 21 && id.Value.Span[4] == 4
            ? new Guid(id.Value.Span[5..], bigEndian: true)
            : null;
}
