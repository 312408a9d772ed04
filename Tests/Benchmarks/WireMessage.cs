using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Wire.Messages;

namespace Platform.Benchmarks;

/// <summary>A command as an OP_MSG, made once; before it is sent again only the key in it is changed.</summary>
internal sealed class WireMessage
{
    /// <summary>The key in the documents that a message is made of.</summary>
    public const int Key = 0x7A6B5C4D;

    private readonly int _bodyLength;
    private readonly int _sequenceLength;
    private readonly int _key;

    /// <summary>Makes the message of a command and, for writes, one document of a sequence.</summary>
    public WireMessage(BsonDocument command, string? sequence = null, BsonDocument? document = null)
    {
        var body = command.ToBson();
        var documents = document?.ToBson() ?? [];
        Bytes = sequence is null
            ? MessageWriter.ToBytes(requestId: 1, body)
            : MessageWriter.ToBytes(requestId: 1, body, sequences: [new DocumentSequence(sequence, documents, 1)]);
        _bodyLength = body.Length;
        _sequenceLength = documents.Length;
        Span<byte> key = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(key, Key);
        _key = Bytes.AsSpan().IndexOf(key);
    }

    /// <summary>The message.</summary>
    public byte[] Bytes { get; }

    /// <summary>The command document in it.</summary>
    public ReadOnlyMemory<byte> Body => Bytes.AsMemory(Message.BodyOffset, _bodyLength);

    /// <summary>The documents of the sequence in it.</summary>
    public ReadOnlyMemory<byte> Sequence => Bytes.AsMemory(Bytes.Length - _sequenceLength);

    /// <summary>Changes the key.</summary>
    public void SetKey(int key) => BinaryPrimitives.WriteInt32LittleEndian(Bytes.AsSpan(_key), key);
}
