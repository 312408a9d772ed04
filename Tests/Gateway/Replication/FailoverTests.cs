using System.Diagnostics;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Primaries that end in every way: nothing that was acknowledged is lost, another one is there soon, and the old one comes back.</summary>
public sealed class FailoverTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    // Beside other tests of this machine.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(Timeout = 240_000)]
    [InlineData("its PostgreSQL is killed")]
    [InlineData("its gateway is killed")]
    [InlineData("both are killed, and it stays away for a while")]
    [InlineData("all of it stands still")]
    [InlineData("its PostgreSQL stands still")]
    [InlineData("its gateway stands still")]
    [InlineData("it is stopped in good order")]
    [InlineData("it steps down")]
    public async Task No_acknowledged_write_is_lost_when_the_primary_fails(string how)
    {
        await set.UntilWholeAsync(Cancel);
        var old = await set.PrimaryAsync(Cancel);
        var term = (await old.HelloAsync(Cancel))!["electionId"].AsObjectId;
        await using var watch = new PrimaryWatch(set);
        await using var writer = new CountingWriter(set.NewDatabase().GetCollection<BsonDocument>("numbers"));
        await writer.UntilMoreAsync(200, Cancel);

        var started = Stopwatch.GetTimestamp();
        await FailAsync(old, how);
        var next = await NextPrimaryAsync(term);
        var elected = Stopwatch.GetElapsedTime(started);
        await writer.UntilMoreAsync(100, Cancel);
        old.Continue();
        if (!old.IsRunning)
        {
            old.Start();
        }

        await set.UntilWholeAsync(Cancel);
        var whole = Stopwatch.GetElapsedTime(started);
        await writer.UntilMoreAsync(100, Cancel);
        var gap = writer.LongestGap;
        Assert.Empty(await writer.EndAsync(Cancel));
        Assert.Empty(await watch.EndAsync());
        await AllHaveTheSameAsync();
        TestContext.Current.SendDiagnosticMessage(
            $"{how}: primary {old.Number} -> {next.Number} after {elected.TotalSeconds:0.0} s, gap {gap.TotalSeconds:0.0} s, "
                + $"whole after {whole.TotalSeconds:0.0} s, {writer.Acknowledged} writes");
        Assert.True(elected < s_patience, $"The next primary was there after {elected}. {set.Output}");
    }

    private static async Task FailAsync(ReplicaSetMember member, string how)
    {
        switch (how)
        {
            case "its PostgreSQL is killed":
                member.KillPostgres();
                break;
            case "its gateway is killed":
                member.KillGateway();
                break;
            case "both are killed, and it stays away for a while":
                await member.KillAsync();
                break;
            case "all of it stands still":
                member.Stop();
                break;
            case "its PostgreSQL stands still":
                member.StopPostgres();
                break;
            case "its gateway stands still":
                member.StopGateway();
                break;
            case "it is stopped in good order":
                await member.ShutDownAsync();
                break;
            case "it steps down":
                using (var client = new MongoClient(member.DirectConnectionString))
                {
                    await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("replSetStepDown", 10), null, Cancel);
                }

                break;
            default:
                throw new ArgumentException($"There is no way to fail that is called '{how}'.");
        }
    }

    private async Task<ReplicaSetMember> NextPrimaryAsync(ObjectId before)
    {
        ReplicaSetMember? next = null;
        await Wait.UntilAsync(
            async () =>
            {
                var hellos = await Task.WhenAll(set.Members.Where(m => m.IsRunning).Select(async m => (Member: m, Hello: await m.HelloAsync(Cancel))));
                next = hellos.Where(h => h.Hello?["isWritablePrimary"].AsBoolean == true && h.Hello["electionId"].AsObjectId > before).Select(h => h.Member)
                    .FirstOrDefault();
                return next is not null;
            },
            () => $"a primary of a later term than {before} is there. {set.Output}",
            Wait.Patience,
            Cancel);
        return next!;
    }

    /// <summary>All members have the same documents when nobody writes.</summary>
    private async Task AllHaveTheSameAsync()
    {
        var places = new List<string>();
        await Wait.UntilAsync(
            async () =>
            {
                places.Clear();
                foreach (var member in set.Members)
                {
                    places.Add(await PlaceAsync(member));
                }

                return places.Distinct(StringComparer.Ordinal).Count() == 1;
            },
            () => $"all members are at the same place, and not at {string.Join(", ", places)}",
            Wait.Patience,
            Cancel);
    }

    // A busy machine elects once more, and the PostgreSQL of who led until then is down for as long as it is wound back.
    private static async Task<string> PlaceAsync(ReplicaSetMember member)
    {
        try
        {
            await using var source = Npgsql.NpgsqlDataSource.Create(member.PostgresConnectionString + ";Pooling=false");
            await using var command = source.CreateCommand(
                "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END::text");
            return (string)(await command.ExecuteScalarAsync(Cancel))!;
        }
        catch (Npgsql.NpgsqlException exception)
        {
            return $"{member.Number}: {exception.Message}";
        }
    }
}
