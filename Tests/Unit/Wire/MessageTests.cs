using System.Buffers;
using MongoDB.Bson;
using Platform.Wire.Messages;
using Xunit;

namespace Platform.Tests.Unit.Wire;

/// <summary>What is written is read again.</summary>
public sealed class MessageTests
{
    private static readonly BsonDocument s_command = new() { { "insert", "c" }, { "$db", "shop" } };

    [Fact]
    public void A_command_with_documents_beside_it_is_read_as_it_was_written()
    {
        byte[] documents = [.. new BsonDocument("_id", 1).ToBson(), .. new BsonDocument("_id", 2).ToBson()];
        var message = Read(MessageWriter.ToBytes(7, s_command.ToBson(), MessageFlags.MoreToCome, sequences: [new DocumentSequence("documents", documents, 2)]));

        Assert.Equal((7, 0, OpCode.Msg), (message.Header.RequestId, message.Header.ResponseTo, message.Header.OpCode));
        Assert.Equal(MessageFlags.MoreToCome, message.Flags);
        Assert.Equal(s_command, message.Body.ToTree());
        Assert.Equal(("documents", 2), (message.Sequences[0].Name, message.Sequences[0].Count));
        Assert.Equal(
            new BsonDocument(s_command) { { "documents", new BsonArray { new BsonDocument("_id", 1), new BsonDocument("_id", 2) } } }, message.ToTree());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Another_body_takes_the_place_of_the_first_and_leaves_what_is_beside_it(bool hasChecksum)
    {
        byte[] bytes = MessageWriter.ToBytes(7, s_command.ToBson(), sequences: [new DocumentSequence("documents", new BsonDocument("_id", 1).ToBson(), 1)]);
        if (hasChecksum)
        {
            bytes = [.. bytes, 0, 0, 0, 0];
            BitConverter.TryWriteBytes(bytes, bytes.Length);
            bytes[16] = (byte)MessageFlags.ChecksumPresent;
            BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), Message.Checksum(bytes.AsSpan(0, bytes.Length - 4)));
        }

        var other = Read(Read(bytes).With(new BsonDocument("ping", 1).ToBson()));
        Assert.Equal((7, MessageFlags.None), (other.Header.RequestId, other.Flags));
        Assert.Equal(new BsonDocument { { "ping", 1 }, { "documents", new BsonArray { new BsonDocument("_id", 1) } } }, other.ToTree());
    }

    [Fact]
    public void A_query_gets_another_command_in_place_of_the_wrapped_one()
    {
        var wrapped = new BsonDocument { { "$query", new BsonDocument("isMaster", 1) }, { "$readPreference", new BsonDocument("mode", "nearest") } }.ToBson();
        byte[] bytes = [.. new byte[16], .. new byte[4], .. "admin.$cmd\0"u8, .. new byte[8], .. wrapped];
        new MessageHeader(bytes.Length, 3, 0, OpCode.Query).Write(bytes);
        var query = Read(bytes);
        Assert.Equal(("admin", "isMaster"), (query.Database, query.Body.First.NameText));
        Assert.Equal("hello", Read(query.With(new BsonDocument("hello", 1).ToBson())).Body.First.NameText);
    }

    [Fact]
    public void Elements_are_put_at_the_end_of_a_reply_whether_it_is_compressed_or_not()
    {
        var reply = new BsonDocument { { "text", new string('x', 5_000) }, { "ok", 1.0 } };
        var more = new BsonDocument { { "a", 1 }, { "b", 2 } }.ToBson().AsSpan(4);
        var (plain, packed, legacy) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        Assert.Equal(MessageWriter.Write(plain, 2, 1, MessageFlags.None, reply.ToBson(), more), plain.WrittenCount);
        Assert.Equal(MessageWriter.WriteCompressed(packed, 2, 1, MessageFlags.None, reply.ToBson(), more), packed.WrittenCount);
        Assert.Equal(MessageWriter.WriteReply(legacy, 2, 1, reply.ToBson()), legacy.WrittenCount);

        Assert.InRange(packed.WrittenCount, 30, 1_000);
        var (header, unpacked) = Compression.Unpack(MessageHeader.Read(packed.WrittenSpan), packed.WrittenMemory, WireLimits.MaxMessageLength);
        Assert.Equal(new BsonDocument(reply) { { "a", 1 }, { "b", 2 } }, Read(plain.WrittenMemory.ToArray()).Body.ToTree());
        Assert.Equal(new BsonDocument(reply) { { "a", 1 }, { "b", 2 } }, Message.Read(header, unpacked).Body.ToTree());
        Assert.Equal(reply, Read(legacy.WrittenMemory.ToArray()).Body.ToTree());
        Assert.Equal(1, Read(legacy.WrittenMemory.ToArray()).Header.ResponseTo);
    }

    private static Message Read(byte[] bytes) => Message.Read(MessageHeader.Read(bytes), bytes);
}
