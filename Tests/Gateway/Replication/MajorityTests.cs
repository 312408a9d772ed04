using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>Members that are away: what a primary does without the others, what happens to what only it had, and many faults at once.</summary>
public sealed class MajorityTests(ReplicaSetFixture set) : IClassFixture<ReplicaSetFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task A_primary_without_a_majority_steps_down_and_serves_reads()
    {
        await set.UntilWholeAsync(Cancel);
        var database = set.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 1), null, Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        var others = set.Members.Where(m => m != primary).ToList();
        await Task.WhenAll(others.Select(m => m.KillAsync()));
        var started = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(
            async () => (await primary.HelloAsync(Cancel)) is { } hello && hello["secondary"].AsBoolean, $"{primary.Host} is a secondary", Cancel);
        var elapsed = Stopwatch.GetElapsedTime(started);
        Assert.True(elapsed < TimeSpan.FromSeconds(15), $"It took {elapsed}.");
        using (var client = new MongoClient(primary.DirectConnectionString))
        {
            var documents = client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c");
            Assert.Equal(1, await documents.WithReadPreference(ReadPreference.SecondaryPreferred).CountDocumentsAsync("{}", null, Cancel));
            var error = await Assert.ThrowsAnyAsync<MongoException>(() => documents.InsertOneAsync(new BsonDocument("_id", 2), null, Cancel));
            Assert.IsType<MongoNotPrimaryException>(error);
        }

        // With one more there is a majority again.
        others[0].Start();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", 2), null, Cancel);
        others[1].Start();
        await set.UntilWholeAsync(Cancel);
    }

    [Fact(Timeout = 240_000)]
    public async Task What_only_the_primary_had_is_taken_back_when_it_comes_again()
    {
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        var others = set.Members.Where(m => m != primary).ToList();
        await Task.WhenAll(others.Select(m => m.KillAsync()));
        await ExecuteAsync(primary, "SET synchronous_commit = local; CREATE TABLE IF NOT EXISTS lost (n int); INSERT INTO lost VALUES (1)");
        await primary.KillAsync();
        others.ForEach(m => m.Start());
        var next = await set.PrimaryAsync(Cancel);
        Assert.NotEqual(primary, next);
        primary.Start();
        await set.UntilWholeAsync(Cancel);
        Assert.Contains(primary.Lines, line => line.Contains("takes back what", StringComparison.Ordinal));
        Assert.DoesNotContain(primary.Lines, line => line.Contains("copies the data", StringComparison.Ordinal));
        foreach (var member in set.Members)
        {
            Assert.Equal(true, await ExecuteAsync(member, "SELECT to_regclass('lost') IS NULL"));
        }
    }

    [Fact(Timeout = 240_000)]
    public async Task A_server_that_its_gateway_had_no_time_to_write_down_ends_with_it()
    {
        await set.UntilWholeAsync(Cancel);
        var primary = await set.PrimaryAsync(Cancel);
        var member = set.Members.First(m => m != primary);
        var postgres = Assert.NotNull(member.Postgres);
        File.Delete(Path.Combine(set.DataOf(member.Number), "postgres.pid"));
        member.KillGateway();
        await Wait.UntilAsync(() => !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{postgres}")), "its PostgreSQL has ended", Cancel);
        await set.UntilWholeAsync(Cancel);
        Assert.DoesNotContain(member.Lines, line => line.Contains("does not end", StringComparison.Ordinal));
    }

    [Theory(Timeout = 290_000)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Nothing_is_lost_when_members_are_killed_at_random_also_while_they_elect(int seed)
    {
        await set.UntilWholeAsync(Cancel);
        var random = new Random(seed);
        await using var watch = new PrimaryWatch(set);
        await using var writer = new CountingWriter(set.NewDatabase().GetCollection<BsonDocument>("numbers"));
        await writer.UntilMoreAsync(100, Cancel);
        for (var fault = 0; fault < 8; fault++)
        {
            var member = set.Members[random.Next(set.Members.Count)];
            switch (random.Next(3))
            {
                case 0 when member.Gateway is not null:
                    member.KillGateway();
                    break;
                case 1 when member.Postgres is not null:
                    member.KillPostgres();
                    break;
                case 2 when member.Gateway is not null:
                    member.StopGateway();
                    await Task.Delay(random.Next(1_000), Cancel);
                    member.Continue();
                    break;
            }

            // Within the time of an election, or a little later: what is hit is chance.
            await Task.Delay(random.Next(1_500), Cancel);
        }

        await set.UntilWholeAsync(Cancel);
        await writer.UntilMoreAsync(100, Cancel);
        Assert.Empty(await writer.EndAsync(Cancel));
        Assert.Empty(await watch.EndAsync());
    }

    private static async Task<object?> ExecuteAsync(ReplicaSetMember member, string sql)
    {
        await using var source = NpgsqlDataSource.Create(member.PostgresConnectionString + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
