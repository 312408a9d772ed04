using System.Buffers.Binary;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway.Sessions;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>What drivers do not send, or only in rare moments.</summary>
[Collection(GatewayCollection.Name)]
public sealed class WireTests(GatewayFixture gateway)
{
    private const uint MoreToCome = 1 << 1;
    private const uint ExhaustAllowed = 1 << 16;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Messages that are none, by what is wrong with them.</summary>
    public static TheoryData<string, byte[]> Malformed()
    {
        var ping = WireClient.Message(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, 1);
        return new TheoryData<string, byte[]>
        {
            { "a negative length", With(ping, 0, -1) },
            { "a length below the header's", With(ping, 0, 15) },
            { "a length above the limit", With(ping, 0, 100_000_000) },
            { "an unknown operation", With(ping, 12, 4711) },
            { "unknown required flags", With(ping, 16, 1 << 5) },
            { "a body that claims too much", With(ping, 21, 1_000_000) },
            { "a body without its end", [.. ping[..^1], 7] },
            { "a wrong checksum", With([.. ping, 1, 2, 3, 4], 0, ping.Length + 4, 16, 1) },
            { "no body", With(ping[..21], 0, 21) },
            { "an HTTP request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray() },
            { "a compressed bomb", Compressed(int.MaxValue) },
        };
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_message_closes_its_connection_and_no_other(string what, byte[] message)
    {
        Assert.NotEmpty(what);
        await using var good = await WireClient.ConnectAsync(gateway, Cancel);
        await using var bad = await WireClient.ConnectAsync(gateway, Cancel);
        await bad.SendAsync(message, Cancel);
        Assert.True(await bad.IsClosedAsync(Cancel));
        Assert.Equal(1.0, (await good.CommandAsync(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, Cancel))["ok"]);
    }

    [Fact]
    public async Task A_stream_that_ends_inside_a_message_closes_the_connection()
    {
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.SendAsync(WireClient.Message(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, 1)[..30], Cancel);
        client.EndSending();
        Assert.True(await client.IsClosedAsync(Cancel));
    }

    [Fact]
    public async Task A_message_that_comes_in_single_bytes_is_answered()
    {
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        foreach (var value in WireClient.Message(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, 77))
        {
            await client.SendAsync([value], Cancel);
        }

        var (_, responseTo, _, reply) = await client.ReceiveAsync(Cancel);
        Assert.Equal((77, 1.0), (responseTo, reply["ok"].AsDouble));
    }

    [Fact]
    public async Task A_write_without_acknowledgement_is_done_and_not_answered()
    {
        var database = gateway.NewDatabase();
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        var insert = new BsonDocument
        {
            { "insert", "c" }, { "documents", new BsonArray { new BsonDocument("_id", 1) } }, { "writeConcern", new BsonDocument("w", 0) },
            { "$db", database.DatabaseNamespace.DatabaseName },
        };
        await client.SendAsync(WireClient.Message(insert, 500, MoreToCome), Cancel);
        await client.SendAsync(WireClient.Message(new BsonDocument { { "ping", 1 }, { "$db", "admin" } }, 501), Cancel);
        // The connection is served in order: the next answer is the ping's, and the insert is done by then.
        Assert.Equal(501, (await client.ReceiveAsync(Cancel)).ResponseTo);
        Assert.Equal(1, await database.GetCollection<BsonDocument>("c").CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task An_awaited_hello_is_streamed_with_each_reply_answering_the_one_before()
    {
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        var first = await client.CommandAsync(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, Cancel);
        Assert.True(first["isWritablePrimary"].AsBoolean);
        var awaited = new BsonDocument { { "hello", 1 }, { "topologyVersion", first["topologyVersion"] }, { "maxAwaitTimeMS", 50 }, { "$db", "admin" } };
        await client.SendAsync(WireClient.Message(awaited, 900, ExhaustAllowed), Cancel);
        var previous = 900;
        for (var i = 0; i < 3; i++)
        {
            var (requestId, responseTo, flags, reply) = await client.ReceiveAsync(Cancel);
            Assert.Equal((previous, MoreToCome), (responseTo, flags & MoreToCome));
            Assert.Equal(first["topologyVersion"], reply["topologyVersion"]);
            previous = requestId;
        }
    }

    [Fact]
    public async Task A_login_with_a_nonce_of_another_conversation_fails()
    {
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        var start = await client.CommandAsync(
            new BsonDocument
            {
                { "saslStart", 1 }, { "mechanism", "SCRAM-SHA-256" }, { "payload", "n,,n=platform,r=abc"u8.ToArray() }, { "$db", "admin" },
            },
            Cancel);
        Assert.False(start["done"].AsBoolean);
        var end = await client.CommandAsync(
            new BsonDocument
            {
                { "saslContinue", 1 }, { "conversationId", 1 }, { "payload", "c=biws,r=other,p=AAAA"u8.ToArray() }, { "$db", "admin" },
            },
            Cancel);
        Assert.Equal((0.0, 18), (end["ok"].AsDouble, end["code"].AsInt32));
        var find = await client.CommandAsync(new BsonDocument { { "find", "c" }, { "$db", "x" } }, Cancel);
        Assert.Equal(13, find["code"].AsInt32);
    }

    [Fact]
    public async Task A_transaction_whose_client_is_lost_is_aborted_and_holds_nothing()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(new BsonDocument { { "_id", 1 }, { "n", 0 } }, null, Cancel);
        await using (var client = await WireClient.ConnectAsync(gateway, Cancel))
        {
            await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
            var update = await client.CommandAsync(
                new BsonDocument
                {
                    { "update", "c" },
                    {
                        "updates",
                        new BsonArray { new BsonDocument { { "q", new BsonDocument() }, { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) } } }
                    },
                    { "lsid", new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard)) },
                    { "txnNumber", 1L }, { "autocommit", false }, { "startTransaction", true },
                    { "$db", database.DatabaseNamespace.DatabaseName },
                },
                Cancel);
            Assert.Equal(1, update["nModified"].ToInt32());
            Assert.True(gateway.Services.GetRequiredService<SessionStore>().OpenTransactions > 0);
        }

        // The row is locked until the abort: this write waits for it.
        var written = await documents.UpdateOneAsync("{}", Builders<BsonDocument>.Update.Inc("n", 10), null, Cancel);
        Assert.Equal(1, written.ModifiedCount);
        Assert.Equal(10, (await documents.Find("{}").SingleAsync(Cancel))["n"]);
    }

    private static byte[] With(byte[] message, params ReadOnlySpan<int> offsetsAndValues)
    {
        var copy = message.ToArray();
        for (var i = 0; i < offsetsAndValues.Length; i += 2)
        {
            BinaryPrimitives.WriteInt32LittleEndian(copy.AsSpan(offsetsAndValues[i]), offsetsAndValues[i + 1]);
        }

        return copy;
    }

    private static byte[] Compressed(int claimed)
    {
        var message = new byte[40];
        return With(message, 0, message.Length, 12, 2012, 16, 2013, 20, claimed, 24, 2);
    }
}
