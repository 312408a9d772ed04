using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Messages;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>Messages as bytes: what is read from them and what is refused.</summary>
public sealed class WireParsingTests
{
    private static readonly BsonDocument s_insert = new()
    {
        { "insert", "c" }, { "ordered", true }, { "$db", "shop" },
        { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), GuidRepresentation.Standard)) },
        { "txnNumber", 7L }, { "autocommit", false }, { "startTransaction", true },
    };

    [Fact]
    public void A_message_with_a_sequence_is_read_without_copying_it()
    {
        var message = Message(s_insert, "documents", new BsonDocument("_id", 1), new BsonDocument("_id", 2));
        var request = Parse(message);

        Assert.Equal(("insert", "shop", "c"), (request.Name, request.Database, request.Target));
        Assert.Equal(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), request.Session);
        Assert.Equal((7L, true, true), (request.TransactionNumber, request.InTransaction, request.StartsTransaction));
        var sequence = Assert.Single(request.Sequences);
        Assert.Equal(("documents", 2), (sequence.Name, sequence.Count));
        Assert.True(sequence.Documents.Span.Overlaps(message));
    }

    [Fact]
    public void A_legacy_query_is_read_with_its_database_and_wrapped_command()
    {
        var command = new BsonDocument("$query", new BsonDocument("isMaster", 1)).ToBson();
        var name = "admin.$cmd\0"u8.ToArray();
        byte[] message = [.. new byte[16], .. new byte[4], .. name, .. new byte[8], .. command];
        var header = new MessageHeader(message.Length, 3, 0, OpCode.Query);
        header.Write(message);
        var request = Request.Parse(header, message);
        Assert.Equal(("isMaster", "admin", true), (request.Name, request.Database, request.Legacy));
    }

    [Fact]
    public void Every_truncation_of_a_message_is_refused()
    {
        var message = Message(s_insert, "documents", new BsonDocument("_id", 1));
        for (var length = 16; length < message.Length; length++)
        {
            // The body alone is a whole message, too.
            if (length == 21 + s_insert.ToBson().Length)
            {
                continue;
            }

            AssertMalformed(message[..length]);
        }
    }

    [Fact]
    public void No_mutation_of_a_message_causes_anything_but_a_refusal()
    {
        var random = new Random(20_26);
        var original = Message(s_insert, "documents", new BsonDocument { { "_id", 1 }, { "a", new BsonArray { 1, "x", new BsonDocument("b", 2.5) } } });
        var refused = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var message = original.ToArray();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                message[random.Next(16, message.Length)] = (byte)random.Next(256);
            }

            try
            {
                foreach (var element in Parse(message).Body)
                {
                    _ = (element.Integer, element.Truthy, element.StringBytes.Length);
                }
            }
            catch (Exception e) when (e is ProtocolException or BsonFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 10_000, 49_999);
    }

    [Theory]
    [InlineData(1u << 2)]
    [InlineData(1u << 15)]
    public void Unknown_required_flags_are_refused(uint flags)
    {
        var message = Message(s_insert);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(16), flags);
        AssertMalformed(message);
    }

    [Fact]
    public void A_checksum_is_verified()
    {
        byte[] message = [.. Message(s_insert), 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        message[16] = 1;
        AssertMalformed(message);
        BinaryPrimitives.WriteUInt32LittleEndian(
            message.AsSpan(message.Length - 4), Platform.Wire.Messages.Message.Checksum(message.AsSpan(0, message.Length - 4)));
        Assert.Equal("insert", Parse(message).Name);
    }

    [Fact]
    public void The_checksum_is_the_published_one() =>
        // The check value of CRC-32C: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
        Assert.Equal(0xE3069283u, Platform.Wire.Messages.Message.Checksum("123456789"u8));

    [Fact]
    public void A_sequence_that_comes_twice_is_refused()
    {
        var one = Message(s_insert, "documents", new BsonDocument("_id", 1));
        var section = one[(21 + s_insert.ToBson().Length)..];
        AssertMalformed([.. one, .. section]);
    }

    [Fact]
    public void Documents_that_nest_too_deep_are_refused()
    {
        Assert.Throws<BsonFormatException>(() => RawDocument.Take(Nested(RawDocument.MaxDepth + 1)));
        Assert.Equal(1, RawDocument.Take(Nested(RawDocument.MaxDepth)).Count());

        static ReadOnlyMemory<byte> Nested(int levels)
        {
            var builder = new BsonBuilder();
            for (var i = 2; i < levels; i++)
            {
                builder.Start("d"u8);
            }

            return builder.Start("d"u8).Finish();
        }
    }

    [Fact]
    public void Every_type_of_value_is_walked_over()
    {
        var document = new BsonDocument
        {
            { "double", 1.5 }, { "string", "text" }, { "document", new BsonDocument("a", 1) }, { "array", new BsonArray { 1, 2 } },
            { "binary", new byte[] { 1, 2, 3 } }, { "undefined", BsonUndefined.Value }, { "id", ObjectId.GenerateNewId() }, { "bool", true },
            { "date", new BsonDateTime(1) }, { "null", BsonNull.Value }, { "regex", new BsonRegularExpression("a", "i") },
            { "code", new BsonJavaScript("x") }, { "symbol", BsonSymbol.Create("s") },
            { "scope", new BsonJavaScriptWithScope("x", new BsonDocument("y", 1)) }, { "int", 5 }, { "timestamp", new BsonTimestamp(1, 2) },
            { "long", 6L }, { "decimal", new BsonDecimal128(7.5m) }, { "min", BsonMinKey.Value }, { "max", BsonMaxKey.Value },
        };
        var names = new List<string>();
        foreach (var element in RawDocument.Take(document.ToBson()))
        {
            names.Add(element.NameText);
        }

        Assert.Equal(document.Names, names);
        Assert.Equal(document, RawDocument.Take(document.ToBson()).ToTree());
    }

    [Fact]
    public void A_document_without_some_fields_keeps_the_others_in_order() =>
        Assert.Equal(
            new BsonDocument { { "a", 1 }, { "c", new BsonArray { 1 } } }.ToBson(),
            BsonBuilder.Without(new RawDocument(new BsonDocument { { "a", 1 }, { "b", 2 }, { "c", new BsonArray { 1 } } }.ToBson()), "b", "x").ToArray());

    [Fact]
    public async Task Messages_are_cut_from_the_stream_however_it_is_split()
    {
        var first = Message(s_insert);
        var second = Message(new BsonDocument { { "find", new string('x', 100_000) }, { "$db", "shop" } });
        byte[] all = [.. first, .. second];
        for (var step = 1; step < 200_000; step = step * 3 + 1)
        {
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            using var reader = new MessageReader(pipe.Reader, TimeProvider.System);
            var writing = WriteAsync(pipe.Writer, all, step);
            Assert.True(await reader.ReadAsync(WireLimits.MaxMessageLength, TestContext.Current.CancellationToken));
            Assert.Equal(first, reader.Message.ToArray());
            Assert.True(await reader.ReadAsync(WireLimits.MaxMessageLength, TestContext.Current.CancellationToken));
            Assert.Equal(second, reader.Message.ToArray());
            Assert.False(await reader.ReadAsync(WireLimits.MaxMessageLength, TestContext.Current.CancellationToken));
            await writing;
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(1001)]
    [InlineData(int.MaxValue)]
    public async Task A_length_out_of_bounds_is_refused_before_anything_is_read(int length)
    {
        var pipe = new Pipe();
        var message = Message(s_insert);
        BinaryPrimitives.WriteInt32LittleEndian(message, length);
        await pipe.Writer.WriteAsync(message, TestContext.Current.CancellationToken);
        using var reader = new MessageReader(pipe.Reader, TimeProvider.System);
        await Assert.ThrowsAsync<ProtocolException>(() => reader.ReadAsync(1000, TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task A_large_claim_reserves_no_memory_until_the_bytes_come()
    {
        var pipe = new Pipe();
        var header = new byte[16];
        new MessageHeader(WireLimits.MaxMessageLength, 1, 0, OpCode.Msg).Write(header);
        await pipe.Writer.WriteAsync(header, TestContext.Current.CancellationToken);
        using var reader = new MessageReader(pipe.Reader, TimeProvider.System);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var pending = reader.ReadAsync(WireLimits.MaxMessageLength, TestContext.Current.CancellationToken);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.False(pending.IsCompleted);
        await pipe.Writer.CompleteAsync();
        await Assert.ThrowsAsync<ProtocolException>(() => pending.AsTask());
    }

    [Fact]
    public async Task A_message_that_does_not_arrive_is_refused_and_silence_between_messages_is_not()
    {
        var limit = TimeSpan.FromSeconds(30);
        var time = new FakeTimeProvider();
        var pipe = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        using var reader = new MessageReader(pipe.Reader, time);
        var message = Message(s_insert);
        await pipe.Writer.WriteAsync(message, TestContext.Current.CancellationToken);
        Assert.True(await reader.ReadAsync(1000, TestContext.Current.CancellationToken));

        var next = reader.ReadAsync(1000, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromHours(1));
        reader.EndIfStalled(limit);
        Assert.False(next.IsCompleted);
        await pipe.Writer.WriteAsync(message.AsMemory(0, 20), TestContext.Current.CancellationToken);
        time.Advance(limit);
        reader.EndIfStalled(limit);
        Assert.False(next.IsCompleted);
        await pipe.Writer.WriteAsync(message.AsMemory(20, 1), TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(1));
        reader.EndIfStalled(limit);
        var error = await Assert.ThrowsAsync<ProtocolException>(() => next.AsTask());
        Assert.Contains("21 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_never_sends_is_refused_in_time()
    {
        var time = new FakeTimeProvider();
        using var reader = new MessageReader(new Pipe().Reader, time);
        var first = reader.ReadAsync(1000, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(31));
        reader.EndIfStalled(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<ProtocolException>(() => first.AsTask());
    }

    [Fact]
    public void A_compressed_message_that_claims_more_than_it_can_hold_is_given_no_memory()
    {
        var message = new byte[40];
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(16), (int)OpCode.Msg);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(20), 40_000_000);
        message[24] = 2;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ProtocolException>(() => Compression.Unpack(new MessageHeader(40, 1, 0, OpCode.Compressed), message, WireLimits.MaxMessageLength));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void A_compressed_message_that_wants_a_dictionary_is_refused()
    {
        // The header of a zlib stream with FDICT set (RFC 1950), which the library reports in another way than damage.
        byte[] message = [.. new byte[16], .. BitConverter.GetBytes((int)OpCode.Msg), .. BitConverter.GetBytes(100), 2, 0x78, 0xBB, 0, 0, 0, 1, 0, 0];
        Assert.Throws<ProtocolException>(() => Compression.Unpack(new MessageHeader(message.Length, 1, 0, OpCode.Compressed), message, 1000));
    }

    [Fact]
    public void Names_that_come_again_are_the_same_object_and_others_are_right()
    {
        Assert.Same(TextCache.Get("aggregate"u8), TextCache.Get("aggregate"u8));
        Assert.Equal("", TextCache.Get(""u8));
        Assert.Equal("größe", TextCache.Get("größe"u8));
        Assert.Equal(new string('x', 200), TextCache.Get(System.Text.Encoding.UTF8.GetBytes(new string('x', 200))));
        Assert.All(Enumerable.Range(0, 5000), i => Assert.Equal($"n{i}", TextCache.Get(System.Text.Encoding.UTF8.GetBytes($"n{i}"))));
    }

    [Fact]
    public void A_name_that_is_no_UTF_8_makes_no_tree()
    {
        var document = new BsonDocument("ab", 1).ToBson();
        document[5] = 0xB2;
        Assert.Throws<BsonFormatException>(() => RawDocument.Take(document).ToTree());
    }

    [Fact]
    public void A_compressed_message_is_unpacked_and_packed()
    {
        var plain = Message(s_insert);
        var packed = Compression.Pack(OpCode.Msg, plain.AsSpan(16));
        byte[] message = [.. new byte[16], .. packed];
        var header = new MessageHeader(message.Length, 9, 0, OpCode.Compressed);
        header.Write(message);
        var (unpackedHeader, unpacked) = Compression.Unpack(header, message, 1_000_000);
        Assert.Equal((9, OpCode.Msg, plain.Length), (unpackedHeader.RequestId, unpackedHeader.OpCode, unpackedHeader.Length));
        Assert.Equal(plain[16..], unpacked[16..].ToArray());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(10_000)]
    [InlineData(int.MaxValue)]
    public void A_compressed_message_of_another_size_than_it_claims_is_refused(int claimed)
    {
        var packed = Compression.Pack(OpCode.Msg, new byte[500]);
        BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(4), claimed);
        byte[] message = [.. new byte[16], .. packed];
        var header = new MessageHeader(message.Length, 9, 0, OpCode.Compressed);
        Assert.Throws<ProtocolException>(() => Compression.Unpack(header, message, 1_000_000));
    }

    private static Request Parse(byte[] message) => Request.Parse(new MessageHeader(message.Length, 1, 0, OpCode.Msg), message);

    private static void AssertMalformed(byte[] message)
    {
        var error = Assert.ThrowsAny<Exception>(() => Parse(message));
        Assert.True(error is ProtocolException or BsonFormatException, error.ToString());
    }

    private static byte[] Message(BsonDocument body, string? sequence = null, params BsonDocument[] documents)
    {
        byte[] message = [.. new byte[16], 0, 0, 0, 0, 0, .. body.ToBson()];
        if (sequence is not null)
        {
            byte[] section = [.. System.Text.Encoding.UTF8.GetBytes(sequence), 0, .. documents.SelectMany(d => d.ToBson())];
            message = [.. message, 1, .. BitConverter.GetBytes(section.Length + 4), .. section];
        }

        new MessageHeader(message.Length, 1, 0, OpCode.Msg).Write(message);
        return message;
    }

    private static async Task WriteAsync(PipeWriter writer, byte[] bytes, int step)
    {
        for (var i = 0; i < bytes.Length; i += step)
        {
            await writer.WriteAsync(bytes.AsMemory(i, Math.Min(step, bytes.Length - i)));
        }

        await writer.CompleteAsync();
    }
}
