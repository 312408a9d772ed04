using System.IO.Pipelines;
using MongoDB.Bson;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Tests.TestKit.Wire;

/// <summary>A message on its way through a <see cref="FaultProxy"/>; valid until the next one is read.</summary>
public sealed class MongoMessage
{
    private readonly Message _message;
    private BsonDocument? _body;

    private MongoMessage(MessageHeader header, ReadOnlyMemory<byte> bytes)
    {
        Bytes = bytes;
        (RequestId, ResponseTo, IsOpaque) = (header.RequestId, header.ResponseTo, header.OpCode == OpCode.Compressed);
        if (!IsOpaque)
        {
            _message = Message.Read(header, bytes);
        }

        Command = IsOpaque || _message.Body.Count() == 0 ? "" : _message.Body.First.NameText;
    }

    /// <summary>The request id.</summary>
    public int RequestId { get; }

    /// <summary>The request id of the message that this one answers.</summary>
    public int ResponseTo { get; }

    /// <summary>The name of the command: of the body's first field.</summary>
    public string Command { get; }

    /// <summary>The body: the command or the reply, without the documents that an <c>OP_MSG</c> carries in sections of their own.</summary>
    public BsonDocument Body => _body ??= _message.Body.ToTree();

    /// <summary>Whether another message follows without being asked for: to a request there is no reply, to a reply a further one.</summary>
    internal bool HasMoreToCome => _message.Flags.HasFlag(MessageFlags.MoreToCome);

    /// <summary>Whether its form hides the command; no client sends such a message when the handshake offered no compression.</summary>
    internal bool IsOpaque { get; }

    internal ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>What reads the messages of a stream.</summary>
    internal static MessageReader Reader(Stream stream) => new(PipeReader.Create(stream), TimeProvider.System);

    /// <summary>Reads a message; null when the stream ended before it.</summary>
    /// <exception cref="ProtocolException">The bytes are no message.</exception>
    internal static async Task<MongoMessage?> ReadAsync(MessageReader reader, CancellationToken cancellationToken) =>
        await reader.ReadAsync(WireLimits.MaxMessageLength, cancellationToken) ? new MongoMessage(reader.Header, reader.Message) : null;

    /// <summary>The bytes of the same message with another body.</summary>
    internal byte[] With(BsonDocument body) => _message.With(body.ToRaw().Span);
}
