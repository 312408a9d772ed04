using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Agent;
using Platform.Backup.Engines;
using Platform.Backup.Repository;
using Platform.Backup.Restoring;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>The lines of the test strategy of backups, on a real server with a real repository.</summary>
[Collection(BackupCollection.Name)]
public sealed class BackupTests(BackupFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Backups_are_created_on_schedule()
    {
        BackupFixture.Require();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var host = fixture.Host(clock, ("Schedule", "* * * * *"));
        var (agent, standing) = (host.Services.GetRequiredService<BackupAgent>(), host.Services.GetRequiredService<BackupStanding>());
        var before = (await standing.LookAsync(Token)).Backups;

        // What is there may be due already; then it is not, until the next minute begins.
        await agent.LookAsync(Token);
        var first = await standing.LookAsync(Token);
        Assert.Null(host.Services.GetRequiredService<AgentState>().Failure);
        Assert.NotNull(first.Newest);
        Assert.InRange(first.Backups, Math.Max(1, before), before + 1);

        if ((await standing.LookAsync(Token)).DueSince is null)
        {
            await agent.LookAsync(Token);
            Assert.Equal(first.Backups, (await standing.LookAsync(Token)).Backups);
        }

        if (first.Newest.Start.AddSeconds(60) is var next && next > clock.GetUtcNow())
        {
            clock.SetUtcNow(next);
        }

        await agent.LookAsync(Token);
        var second = await standing.LookAsync(Token);
        Assert.Null(host.Services.GetRequiredService<AgentState>().Failure);
        Assert.Equal(first.Backups + 1, second.Backups);
        Assert.NotEqual(first.Newest.Label, second.Newest!.Label);
        Assert.True(second.Newest.IsProven);
    }

    [Fact]
    public async Task Restore_from_a_backup_brings_back_what_was_there()
    {
        var (database, collection) = Fresh();
        await collection.InsertManyAsync(Enumerable.Range(0, 500).Select(i => new BsonDocument { ["_id"] = i, ["text"] = new string('x', i) }), null, Token);
        using var host = fixture.Host();
        var backup = await host.Services.GetRequiredService<BackupWork>().RunAsync(Token);
        await collection.DeleteManyAsync(new BsonDocument("_id", new BsonDocument("$gte", 100)), Token);

        var (copy, _) = await host.Services.GetRequiredService<RestoreWork>().OpenAsync(new RestoreTarget(backup.Label, null), Token);
        await using (copy)
        {
            using var client = new MongoClient(copy.ConnectionString);
            var restored = await client.GetDatabase(database).GetCollection<BsonDocument>("c").Find(FilterDefinition<BsonDocument>.Empty)
                .Sort(new BsonDocument("_id", 1)).ToListAsync(Token);
            Assert.Equal(500, restored.Count);
            Assert.All(restored, document => Assert.Equal(document["_id"].AsInt32, document["text"].AsString.Length));
            Assert.Equal(100, await collection.CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, null, Token));
        }

        Assert.False(Directory.Exists(copy.Data));
    }

    [Fact]
    public async Task Point_in_time_recovery_ends_at_the_moment_that_is_asked_for()
    {
        var (database, collection) = Fresh();
        using var host = await fixture.HostWithBackupAsync(Token);
        var moments = new List<DateTimeOffset>();
        for (var i = 0; i < 3; i++)
        {
            await collection.InsertOneAsync(new BsonDocument("_id", i), null, Token);
            moments.Add(DateTimeOffset.UtcNow);
        }

        // The one before the middle is there, the one after it is not.
        var (copy, _) = await host.Services.GetRequiredService<RestoreWork>().OpenAsync(new RestoreTarget(null, moments[1]), Token);
        await using (copy)
        {
            using var client = new MongoClient(copy.ConnectionString);
            var found = await client.GetDatabase(database).GetCollection<BsonDocument>("c").Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(Token);
            Assert.Equal([0, 1], found.Select(document => document["_id"].AsInt32).Order());
            Assert.True(copy.LastCommit <= moments[1]);
        }

        var early = await Assert.ThrowsAsync<BackupException>(
            () => host.Services.GetRequiredService<RestoreWork>().OpenAsync(new RestoreTarget(null, DateTimeOffset.UnixEpoch), Token));
        Assert.StartsWith("The first moment that can be restored is ", early.Message, StringComparison.Ordinal);
        var late = await Assert.ThrowsAsync<BackupException>(
            () => host.Services.GetRequiredService<RestoreWork>().OpenAsync(new RestoreTarget(null, DateTimeOffset.UtcNow.AddHours(1)), Token));
        Assert.EndsWith("has not come yet.", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_encryption_leaves_nothing_to_be_read_in_the_repository()
    {
        var (_, collection) = Fresh();
        // Not to be compressed, so that it would be found if it were there.
        var marker = "marker" + Guid.NewGuid().ToString("N");
        await collection.InsertOneAsync(new BsonDocument("secret", marker), null, Token);
        using var host = fixture.Host();
        await host.Services.GetRequiredService<BackupWork>().RunAsync(Token);

        var objects = Directory.GetFiles(fixture.Repository, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(objects);
        foreach (var path in objects)
        {
            var bytes = await File.ReadAllBytesAsync(path, Token);
            // Nor what pgBackRest writes in words of its own: lists, manifests, where the log was when the backup began.
            foreach (var text in (string[])[marker, "[backrest]", "pg_data", "backup-label", "START WAL LOCATION", "PG_VERSION"])
            {
                Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(text)) < 0, $"{path} has {text}");
            }
        }

        // It is in the data, and in the log of it.
        Assert.Contains(
            Directory.GetFiles(Path.Combine(fixture.Set.DataOf(1), "cluster", "pg_wal"), "0*"),
            path => File.ReadAllBytes(path).AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(marker)) >= 0);

        using var stranger = fixture.Host(null, ("PassPhrase", "another-pass-phrase-of-a-stranger"));
        var refused = await Assert.ThrowsAsync<BackupException>(() => stranger.Services.GetRequiredService<BackupWork>().RunAsync(Token));
        Assert.Contains("PassPhrase", refused.Message, StringComparison.Ordinal);
        var unread = await Assert.ThrowsAsync<BackupException>(() => stranger.Services.GetRequiredService<IBackupEngine>().BackupsAsync(Token));
        Assert.Contains("PassPhrase", unread.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_processes_do_not_work_on_the_backups_at_once()
    {
        BackupFixture.Require();
        using var host = fixture.Host();
        var work = host.Services.GetRequiredService<BackupWork>();
        using (RepositoryLock.Take(fixture.Directory))
        {
            var busy = await Assert.ThrowsAsync<BackupException>(() => work.RunAsync(Token));
            Assert.Equal(ExitCodes.Busy, busy.ExitCode);
            (await fixture.RunAsync(["expire"], Token)).Expect(ExitCodes.Busy);
        }
    }

    [Fact]
    public async Task What_the_policy_does_not_keep_is_removed_and_the_newest_stays()
    {
        using var host = await fixture.HostWithBackupAsync(Token, ("KeepDaily", "1"), ("KeepMonthly", "0"), ("Window", "00:00:00"));
        var work = host.Services.GetRequiredService<BackupWork>();
        var newest = await work.RunAsync(Token);
        Assert.NotEmpty((await work.ExpireAsync(dryRun: true, Token)).Removed);
        await work.ExpireAsync(dryRun: false, Token);
        var left = await host.Services.GetRequiredService<IBackupEngine>().BackupsAsync(Token);
        Assert.Equal([newest.Label], left.Select(backup => backup.Label));
        Assert.Empty((await work.VerifyAsync(null, accept: false, Token)).Findings);

        // A wrong clock removes nothing.
        foreach (var hours in (int[])[-48, 48])
        {
            using var wrong = fixture.Host(new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(hours)), ("KeepDaily", "1"));
            var refused = await Assert.ThrowsAsync<BackupException>(() => wrong.Services.GetRequiredService<BackupWork>().ExpireAsync(false, Token));
            Assert.Contains("nothing is removed", refused.Message, StringComparison.Ordinal);
        }
    }

    private (string Database, IMongoCollection<BsonDocument> Collection) Fresh()
    {
        BackupFixture.Require();
        var database = fixture.Set.NewDatabase();
        return (database.DatabaseNamespace.DatabaseName, database.GetCollection<BsonDocument>("c"));
    }
}
