using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Three members as their clients see them.</summary>
public sealed class ReplicaSetTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_member_says_the_same_of_the_set_and_its_own_of_itself()
    {
        await set.UntilWholeAsync(Cancel);
        var hosts = new BsonArray(set.Members.Select(m => m.Host));
        var primary = await set.PrimaryAsync(Cancel);
        foreach (var member in set.Members)
        {
            var hello = (await member.HelloAsync(Cancel))!;
            Assert.Equal(hosts, hello["hosts"].AsBsonArray);
            Assert.Equal((member.Host, primary.Host), (hello["me"].AsString, hello["primary"].AsString));
            Assert.Equal((member == primary, member != primary), (hello["isWritablePrimary"].AsBoolean, hello["secondary"].AsBoolean));
            Assert.Equal(member == primary, hello.Contains("electionId"));
            Assert.InRange(hello["lastWrite"]["lastWriteDate"].ToUniversalTime(), DateTime.UtcNow.AddSeconds(-20), DateTime.UtcNow.AddSeconds(5));

            var status = (await member.StatusAsync(Cancel))!;
            Assert.Equal(member == primary ? 1 : 2, status["myState"]);
            Assert.Equal(hosts, new BsonArray(status["members"].AsBsonArray.Select(m => m["name"])));
            Assert.All(status["members"].AsBsonArray, m => Assert.Equal(m["name"] == primary.Host ? "PRIMARY" : "SECONDARY", m["stateStr"].AsString));
            Assert.Equal(member == primary ? "" : primary.Host, status["syncSourceHost"]);
            Assert.Equal(2, status["majorityVoteCount"]);
        }
    }

    [Fact]
    public async Task What_is_written_is_there_on_every_member()
    {
        await set.UntilWholeAsync(Cancel);
        var database = set.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        foreach (var member in set.Members)
        {
            using var client = new MongoClient(member.DirectConnectionString);
            var documents = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c")
                .WithReadPreference(ReadPreference.SecondaryPreferred);
            await Wait.UntilAsync(
                async () => await documents.CountDocumentsAsync("{}", null, Cancel) == 1, $"{member.Host} has the document", Cancel);
        }
    }

    [Fact]
    public async Task The_shell_shows_the_set()
    {
        NodeTools.Require("mongosh");
        await set.UntilWholeAsync(Cancel);
        foreach (var member in set.Members)
        {
            var result = await NodeTools.RunAsync(
            [
                NodeTools.Program("mongosh", "mongosh.js"), member.DirectConnectionString, "--quiet", "--norc", "--eval",
                "print(rs.conf().members.length, rs.status().ok, rs.status().members.length, db.serverStatus().repl.hosts.length);"
                    + "rs.printSecondaryReplicationInfo()",
            ]);
            Assert.True(result.ExitCode == 0, result.Errors + result.Output);
            Assert.Contains("3 1 3 3", result.Output, StringComparison.Ordinal);
            Assert.Equal(2, result.Output.Split("source:").Length - 1);
            Assert.Matches(@"'?[0-9.]+ secs \([0-9.]+ hrs\) behind the (primary|freshest member)", result.Output);
        }
    }

    [Fact]
    public async Task Stepping_down_is_for_primaries_and_for_those_who_may()
    {
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        using var client = new MongoClient(set.Members.First(m => m != primary).DirectConnectionString);
        var error = await Assert.ThrowsAnyAsync<MongoCommandException>(() =>
            client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("replSetStepDown", 10), ReadPreference.Nearest, Cancel));
        Assert.Equal(10107, error.Code);
        error = await Assert.ThrowsAnyAsync<MongoCommandException>(() => set.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "replSetStepDown", 5 }, { "secondaryCatchUpPeriodSecs", 10 } }, null, Cancel));
        Assert.Equal(2, error.Code);
        error = await Assert.ThrowsAnyAsync<MongoCommandException>(() => set.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument("replSetReconfig", new BsonDocument()), null, Cancel));
        Assert.Equal(115, error.Code);
        Assert.Equal(primary, await set.PrimaryAsync(Cancel));
    }
}
