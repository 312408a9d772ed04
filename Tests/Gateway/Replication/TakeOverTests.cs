using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Data that was there before the set had three members.</summary>
public sealed class TakeOverTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task Data_of_a_PostgreSQL_that_stood_alone_becomes_that_of_all_members()
    {
        await using var set = ReplicaSetFixture.Prepare();
        var reason = ServerImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        await WriteAloneAsync(set.DataOf(1), set.Sockets);

        await set.ResizeAsync(1, Cancel);
        Assert.Equal(1, await Documents(set).CountDocumentsAsync("{}", null, Cancel));
        await Documents(set).InsertOneAsync(new BsonDocument("_id", 2), null, Cancel);

        await set.ResizeAsync(3, Cancel);
        Assert.Equal(2, await Documents(set).CountDocumentsAsync("{}", null, Cancel));
        await Documents(set).InsertOneAsync(new BsonDocument("_id", 3), null, Cancel);
        foreach (var member in set.Members)
        {
            using var client = new MongoClient(member.DirectConnectionString);
            var documents = client.GetDatabase("shop").GetCollection<BsonDocument>("c").WithReadPreference(ReadPreference.SecondaryPreferred);
            await Wait.UntilAsync(async () => await documents.CountDocumentsAsync("{}", null, Cancel) == 3, $"{member.Host} has all. {set.Output}", Cancel);
        }

        // All stop at the same time, and the same primary is there again without anybody having to take anything back.
        var stopped = set.Members;
        await set.ResizeAsync(3, Cancel);
        Assert.Equal(3, await Documents(set).CountDocumentsAsync("{}", null, Cancel));
        string[] troubles = ["copies the data", "takes back", "not properly shut down"];
        Assert.False(
            set.Members.SelectMany(m => m.Lines).Any(line => troubles.Any(trouble => line.Contains(trouble, StringComparison.Ordinal))),
            $"They stopped like this: {string.Join(Environment.NewLine, stopped.SelectMany(m => m.Lines.TakeLast(30)))}{Environment.NewLine}"
                + $"And started: {set.Output}");
    }

    private static IMongoCollection<BsonDocument> Documents(ReplicaSetFixture set) => set.Client.GetDatabase("shop").GetCollection<BsonDocument>("c");

    private static async Task WriteAloneAsync(string data, string sockets)
    {
        await using var postgres = ServerProcess.Start(ServerImage.Script("postgres"), [ServerImage.Directory, data, sockets], []);
        var port = FreePort.Find();
        await using var gateway = GatewayFixture.Build(port, $"Host={sockets};Username=postgres;Database=postgres");
        await GatewayApplication.StartAsync(gateway, Cancel);
        using var client = new MongoClient(
            $"mongodb://{Uri.EscapeDataString(GatewayFixture.User)}:{Uri.EscapeDataString(GatewayFixture.Password)}@127.0.0.1:{port}/?authSource=admin");
        await client.GetDatabase("shop").GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        await gateway.StopAsync(Cancel);
    }
}
