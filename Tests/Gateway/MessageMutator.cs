using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Messages;

namespace Platform.Tests.Gateway;

/// <summary>
/// Makes messages that are almost right: good ones of every kind, changed at random. The same seed gives the same messages.
/// </summary>
internal sealed class MessageMutator
{
    private static readonly int[] s_numbers =
        [0, 1, -1, 2, 4, 5, 12, 16, 21, 255, 256, 65535, 48_000_000, 48_000_001, int.MaxValue, int.MinValue, 2004, 2012, 2013];

    private readonly Random _random;
    private readonly byte[][] _originals;

    /// <summary>Makes a source of messages about a database.</summary>
    public MessageMutator(int seed, string database)
    {
        _random = new Random(seed);
        var plain = Commands(database).Select(c => Message(c.Command, c.Sequence)).ToList();
        _originals = [.. plain, .. plain.Where((_, i) => i % 4 == 0).Select(Compress), LegacyHello(), Nested(150), Nested(5000)];
    }

    /// <summary>How many good messages there are to start from.</summary>
    public int Originals => _originals.Length;

    /// <summary>A good message.</summary>
    public byte[] Original(int index) => _originals[index];

    /// <summary>The next message.</summary>
    public byte[] Next()
    {
        var message = _originals[_random.Next(_originals.Length)].ToArray();
        for (var changes = _random.Next(0, 5); changes > 0; changes--)
        {
            message = Change(message);
        }

        // Half of them have a right length again, so that the change is found out further in.
        if (message.Length >= 4 && _random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        }

        return message;
    }

    private byte[] Change(byte[] message)
    {
        if (message.Length == 0)
        {
            return message;
        }

        var at = _random.Next(message.Length);
        switch (_random.Next(9))
        {
            case 0:
                message[at] = (byte)_random.Next(256);
                return message;
            case 1:
                message[at] ^= (byte)(1 << _random.Next(8));
                return message;
            case 2 when message.Length >= 4:
                at = Math.Min(at, message.Length - 4);
                BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(at), s_numbers[_random.Next(s_numbers.Length)]);
                return message;
            case 3 when message.Length >= 4:
                at = Math.Min(at, message.Length - 4);
                BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(at), BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(at)) + _random.Next(-3, 4));
                return message;
            case 4:
                return message[..at];
            case 5:
                var more = new byte[_random.Next(1, 40)];
                _random.NextBytes(more);
                return [.. message[..at], .. more, .. message[at..]];
            case 6:
                var end = _random.Next(at, message.Length);
                return [.. message[..end], .. message[at..end], .. message[end..]];
            case 7:
                return [.. message[..at], .. message[_random.Next(at, message.Length)..]];
            default:
                var other = _originals[_random.Next(_originals.Length)];
                return [.. message[..at], .. other[_random.Next(other.Length)..]];
        }
    }

    private static IEnumerable<(BsonDocument Command, (string Name, BsonDocument[] Documents)? Sequence)> Commands(string database)
    {
        var session = new BsonDocument("id", new BsonBinaryData(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), GuidRepresentation.Standard));
        var document = new BsonDocument
        {
            { "_id", 1 }, { "a", new BsonArray { 1, "x", new BsonDocument("b", 2.5), BsonNull.Value } }, { "d", new BsonDateTime(5) },
            { "r", new BsonRegularExpression("a", "i") },
            { "s", new BsonJavaScriptWithScope("x", new BsonDocument("y", 1)) }, { "t", new BsonTimestamp(1, 2) }, { "n", new BsonDecimal128(1.5m) },
            { "bin", new byte[] { 1, 2 } },
        };
        BsonDocument[] commands =
        [
            new() { { "ping", 1 } },
            new() { { "hello", 1 }, { "client", new BsonDocument("driver", new BsonDocument("name", "fuzz")) }, { "compression", new BsonArray { "zlib" } } },
            new() { { "isMaster", 1 }, { "saslSupportedMechs", "admin.platform" } },
            new()
            {
                { "saslStart", 1 },
                { "mechanism", "SCRAM-SHA-256" },
                { "payload", "n,,n=platform,r=abcdef"u8.ToArray() },
                { "options", new BsonDocument("skipEmptyExchange", true) },
            },
            new() { { "saslContinue", 1 }, { "conversationId", 1 }, { "payload", "c=biws,r=abcdef,p=AAAA"u8.ToArray() } },
            new() { { "find", "c" }, { "filter", document }, { "limit", 1 }, { "lsid", session } },
            new() { { "find", "c" }, { "min", new BsonDocument("a", 1) }, { "tailable", true }, { "explain", false } },
            new()
            {
                { "aggregate", "c" },
                { "pipeline", new BsonArray { new BsonDocument("$match", document), new BsonDocument("$count", "n") } },
                { "cursor", new BsonDocument() },
            },
            new()
            {
                { "aggregate", 1 },
                { "pipeline", new BsonArray { new BsonDocument("$documents", new BsonArray { document }) } },
                { "cursor", new BsonDocument() },
                { "explain", true },
            },
            new() { { "getMore", 5L }, { "collection", "c" }, { "batchSize", 5 } },
            new() { { "killCursors", "c" }, { "cursors", new BsonArray { 5L, 6L } } },
            new() { { "count", "c" }, { "query", document } },
            new() { { "distinct", "c" }, { "key", "a" } },
            new() { { "insert", "c" }, { "documents", new BsonArray { document } }, { "ordered", true }, { "lsid", session }, { "txnNumber", 7L } },
            new() { { "update", "c" }, {
                "updates",
                new BsonArray { new BsonDocument { { "q", document }, { "u", new BsonDocument("$set", new BsonDocument("a", 1)) }, { "upsert", true } } }
            } },
            new()
            {
                { "update", "c" },
                { "updates", new BsonArray { new BsonDocument { { "q", document }, { "u", new BsonArray { new BsonDocument("$replaceWith", document) } } } } },
            },
            new() { { "delete", "c" }, { "deletes", new BsonArray { new BsonDocument { { "q", document }, { "limit", 1 } } } } },
            new()
            {
                { "findAndModify", "c" },
                { "query", document },
                { "update", new BsonArray { new BsonDocument("$replaceRoot", new BsonDocument("newRoot", document)) } },
                { "upsert", true },
            },
            new() { { "find", "c" }, { "lsid", session }, { "txnNumber", 8L }, { "autocommit", false }, { "startTransaction", true } },
            new() { { "commitTransaction", 1 }, { "lsid", session }, { "txnNumber", 8L }, { "autocommit", false } },
            new() { { "abortTransaction", 1 }, { "lsid", session }, { "txnNumber", 8L }, { "autocommit", false } },
            new() { { "endSessions", new BsonArray { session } } },
            new()
            {
                { "create", "c" },
                { "validator", new BsonDocument("$jsonSchema", new BsonDocument { { "bsonType", "object" }, { "required", new BsonArray { "a" } } }) },
            },
            new() { { "createIndexes", "c" }, { "indexes", new BsonArray { new BsonDocument { { "key", new BsonDocument("a", 1) }, { "name", "a_1" } } } } },
            new() { { "listIndexes", "c" } },
            new() { { "dropIndexes", "c" }, { "index", "a_1" } },
            new() { { "listCollections", 1 }, { "nameOnly", true } },
            new() { { "collStats", "c" }, { "scale", 1 } },
            new() { { "dbStats", 1 } },
            new() { { "validate", "c" } },
            new() { { "collMod", "c" }, { "index", new BsonDocument { { "name", "a_1" }, { "hidden", true } } } },
            new() { { "renameCollection", $"{database}.c" }, { "to", $"{database}.d" } },
            new() { { "explain", new BsonDocument { { "find", "c" }, { "filter", document } } }, { "verbosity", "queryPlanner" } },
            new() { { "serverStatus", 1 } },
            new() { { "getParameter", "*" } },
            new() { { "getLog", "global" } },
            new() { { "hostInfo", 1 } },
            new() { { "whatIsThis", 1 } },
        ];
        foreach (var command in commands)
        {
            command.Add("$db", database);
            yield return (command, null);
        }

        yield return (new BsonDocument { { "insert", "c" }, { "$db", database } }, ("documents", [document, new BsonDocument("x", 1)]));
        yield return (
            new BsonDocument { { "update", "c" }, { "$db", database } },
            ("updates", [new BsonDocument { { "q", new BsonDocument("_id", 1) }, { "u", document }, { "upsert", true } }]));
        yield return (
            new BsonDocument { { "delete", "c" }, { "$db", database } },
            ("deletes", [new BsonDocument { { "q", new BsonDocument() }, { "limit", 0 } }]));
    }

    private static byte[] Message(BsonDocument command, (string Name, BsonDocument[] Documents)? sequence)
    {
        byte[] message = [.. new byte[21], .. command.ToBson()];
        if (sequence is { } s)
        {
            byte[] section = [.. Encoding.UTF8.GetBytes(s.Name), 0, .. s.Documents.SelectMany(d => d.ToBson())];
            message = [.. message, 1, .. BitConverter.GetBytes(section.Length + 4), .. section];
        }

        new MessageHeader(message.Length, 7, 0, OpCode.Msg).Write(message);
        return message;
    }

    private static byte[] Compress(byte[] plain)
    {
        byte[] message = [.. new byte[16], .. Compression.Pack(OpCode.Msg, plain.AsSpan(16))];
        new MessageHeader(message.Length, 8, 0, OpCode.Compressed).Write(message);
        return message;
    }

    private static byte[] LegacyHello()
    {
        byte[] message = [.. new byte[20], .. "admin.$cmd\0"u8, .. new byte[8], .. new BsonDocument("isMaster", 1).ToBson()];
        new MessageHeader(message.Length, 9, 0, OpCode.Query).Write(message);
        return message;
    }

    private static byte[] Nested(int depth)
    {
        // {"d": {"d": ... }}, from the inside out.
        byte[] inner = [5, 0, 0, 0, 0];
        for (var i = 0; i < depth; i++)
        {
            inner = [.. BitConverter.GetBytes(inner.Length + 8), 3, (byte)'d', 0, .. inner, 0];
        }

        byte[] message = [.. new byte[21], .. inner];
        new MessageHeader(message.Length, 10, 0, OpCode.Msg).Write(message);
        return message;
    }
}
