using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>
/// Generated commands of all kinds of statements against a model: what each reply says and what is there afterwards, ordered or not, retryable or
/// not, and however often a retryable one is sent.
/// </summary>
[Collection(CommandsCollection.Name)]
public sealed class WriteModelTests(GatewayFixture gateway, OtherGateway other) : IClassFixture<OtherGateway>
{
    private const int Commands = 400, Keys = 12;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Generated_commands_answer_and_do_what_the_model_does(int seed)
    {
        var database = gateway.NewDatabase();
        var random = new Random(seed);
        var model = new WriteModel();
        await using var client = await LoginAsync(gateway.Port);
        await using var elsewhere = await LoginAsync(other.Port);
        var session = new BsonDocument("id", new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard));
        for (var number = 1L; number <= Commands; number++)
        {
            var name = random.Next(5) switch { 0 => "insert", < 4 => "update", _ => "delete" };
            var field = name switch { "insert" => "documents", "update" => "updates", _ => "deletes" };
            var ordered = random.Next(2) == 0;
            var statements = Enumerable.Range(0, random.Next(3) == 0 ? 1 : random.Next(1, 14)).Select(_ => Statement(random, name)).ToList();
            var command = new BsonDocument
            {
                { name, "c" },
                { field, new BsonArray(statements) },
                { "ordered", ordered },
                { "$db", database.DatabaseNamespace.DatabaseName },
            };
            // A write of many documents cannot be retryable.
            var retryable = random.Next(3) > 0 && !statements.Any(s => s.Contains("multi") || (name == "delete" && s["limit"] == 0));
            if (retryable)
            {
                command.Add("lsid", session).Add("txnNumber", number);
            }

            var expected = model.Run(name, statements, ordered);
            for (var times = retryable ? random.Next(1, 4) : 1; times > 0; times--)
            {
                var reply = await (random.Next(3) == 0 ? elsewhere : client).CommandAsync(command, Cancel);
                Assert.True(expected == WriteModel.Summary(reply), $"{command.ToJson()}\nexpected {expected}\ngot {reply.ToJson()}");
            }
        }

        Assert.Equal(model.Documents, await database.GetCollection<BsonDocument>("c").Find("{}").Sort("{_id: 1}").ToListAsync(Cancel));
    }

    private static BsonDocument Statement(Random random, string name)
    {
        var key = random.Next(Keys);
        // Keys come in several types, and with them the stored one.
        BsonValue id = random.Next(4) switch { 0 => new BsonDouble(key), 1 => new BsonInt64(key), _ => new BsonInt32(key) };
        switch (name)
        {
            case "insert":
                return new BsonDocument { { "_id", new BsonInt32(key) }, { "g", random.Next(3) }, { "n", 0 } };
            case "delete":
                return random.Next(8) == 0
                    ? new BsonDocument { { "q", new BsonDocument("g", random.Next(3)) }, { "limit", 0 } }
                    : new BsonDocument { { "q", new BsonDocument("_id", id) }, { "limit", random.Next(2) } };
        }

        var upsert = random.Next(3) == 0;
        var update = random.Next(6) switch
        {
            0 => new BsonDocument("$set", new BsonDocument("g", random.Next(3))),
            1 => new BsonDocument("$inc", new BsonDocument("_id", 1)),
            2 => new BsonDocument { { "g", random.Next(3) }, { "n", random.Next(2) } },
            _ => new BsonDocument("$inc", new BsonDocument("n", 1)),
        };
        if (random.Next(8) == 0)
        {
            return new BsonDocument
            {
                { "q", new BsonDocument("g", random.Next(3)) },
                { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) },
                { "multi", true },
            };
        }

        var filter = new BsonDocument("_id", upsert ? new BsonInt32(key) : id);
        return new BsonDocument { { "q", filter }, { "u", update }, { "upsert", upsert } };
    }

    private async Task<WireClient> LoginAsync(int port)
    {
        gateway.Require();
        var client = await WireClient.ConnectAsync(port, Cancel);
        await client.LoginAsync(GatewayFixture.User, GatewayFixture.Password, Cancel);
        return client;
    }
}
