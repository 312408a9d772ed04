using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Platform.Tests.TestKit.Wire;

/// <summary>A message of the MongoDB wire protocol.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/"/></remarks>
public sealed class MongoMessage
{
    private const int HeaderLength = 16;
    private const int MaxLength = 48_000_000;
    private const int OpReply = 1;
    private const int OpQuery = 2004;
    private const int OpMsg = 2013;
    private const uint ChecksumPresent = 1;
    private const uint MoreToCome = 2;

    private readonly int _bodyAt;
    private readonly int _bodyLength;
    private BsonDocument? _body;

    private MongoMessage(byte[] bytes)
    {
        Bytes = bytes;
        (_bodyAt, _bodyLength) = FindBody();
        Command = _bodyLength > 5 ? NameAt(_bodyAt + 5) : "";
    }

    /// <summary>The request id.</summary>
    public int RequestId => Int32(4);

    /// <summary>The request id of the message that this one answers.</summary>
    public int ResponseTo => Int32(8);

    /// <summary>The name of the command: of the body's first field.</summary>
    public string Command { get; }

    /// <summary>The body: the command or the reply, without the documents that an <c>OP_MSG</c> carries in sections of their own.</summary>
    public BsonDocument Body => _body ??= BsonSerializer.Deserialize<BsonDocument>(Bytes[_bodyAt..(_bodyAt + _bodyLength)]);

    /// <summary>Whether another message follows without being asked for: to a request there is no reply, to a reply a further one.</summary>
    internal bool HasMoreToCome => OpCode == OpMsg && (Flags & MoreToCome) != 0;

    /// <summary>Whether its form hides the command; no client sends such a message when the handshake offered no compression.</summary>
    internal bool IsOpaque => _bodyLength == 0;

    internal byte[] Bytes { get; }

    private int OpCode => Int32(12);

    private uint Flags => (uint)Int32(HeaderLength);

    /// <summary>Reads a message; null when the stream ended before it.</summary>
    /// <exception cref="InvalidDataException">The bytes are no message.</exception>
    internal static async Task<MongoMessage?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderLength];
        if (await stream.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, cancellationToken) < HeaderLength)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < HeaderLength or > MaxLength)
        {
            throw new InvalidDataException($"A message cannot have {length} bytes.");
        }

        var bytes = new byte[length];
        header.CopyTo(bytes, 0);
        var rest = length - HeaderLength;
        return await stream.ReadAtLeastAsync(bytes.AsMemory(HeaderLength), rest, throwOnEndOfStream: false, cancellationToken) < rest ? null : new MongoMessage(bytes);
    }

    /// <summary>The same message with another body.</summary>
    internal MongoMessage With(BsonDocument body)
    {
        var document = body.ToBson();
        // A checksum would not fit any more, and may be left away.
        var end = Bytes.Length - (OpCode == OpMsg && (Flags & ChecksumPresent) != 0 ? sizeof(int) : 0);
        byte[] bytes = [.. Bytes.AsSpan(0, _bodyAt), .. document, .. Bytes.AsSpan(_bodyAt + _bodyLength, end - _bodyAt - _bodyLength)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        if (OpCode == OpMsg)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(HeaderLength), Flags & ~ChecksumPresent);
        }

        return new MongoMessage(bytes);
    }

    private (int At, int Length) FindBody()
    {
        switch (OpCode)
        {
            case OpMsg:
                var end = Bytes.Length - ((Flags & ChecksumPresent) != 0 ? sizeof(int) : 0);
                for (var at = HeaderLength + sizeof(int); at < end;)
                {
                    var kind = Bytes[at++];
                    if (kind == 0)
                    {
                        return Document(at);
                    }

                    at += kind == 1 ? Math.Max(Int32(at), sizeof(int)) : throw new InvalidDataException($"There is no section of kind {kind}.");
                }

                throw new InvalidDataException("An OP_MSG has no body.");
            case OpQuery:
                var zero = Array.IndexOf(Bytes, (byte)0, HeaderLength + sizeof(int));
                return Document(zero + 1 + (2 * sizeof(int)));
            case OpReply:
                return Document(HeaderLength + 20);
            default:
                return default;
        }
    }

    private (int At, int Length) Document(int at)
    {
        var length = Int32(at);
        return length >= 5 && at + length <= Bytes.Length ? (at, length) : throw new InvalidDataException("A body is cut off.");
    }

    private string NameAt(int at) => Encoding.UTF8.GetString(Bytes.AsSpan(at, Math.Max(Bytes.AsSpan(at).IndexOf((byte)0), 0)));

    private int Int32(int at) => at + sizeof(int) <= Bytes.Length
        ? BinaryPrimitives.ReadInt32LittleEndian(Bytes.AsSpan(at))
        : throw new InvalidDataException("A message is cut off.");
}
