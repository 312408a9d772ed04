using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using Platform.Backup.Engines;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>Backups of a replica set whose primary is lost.</summary>
public sealed class BackupFailoverTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Backups_and_the_archive_follow_the_primary_and_no_moment_is_lost()
    {
        await using var fixture = await BackupFixture.StartAsync(3);
        using var host = fixture.Host();
        var (work, standing) = (host.Services.GetRequiredService<BackupWork>(), host.Services.GetRequiredService<BackupStanding>());
        var database = fixture.Set.NewDatabase();
        var collection = database.GetCollection<BsonDocument>("c");
        await collection.InsertOneAsync(new BsonDocument("_id", "before"), null, Token);
        var first = await work.RunAsync(Token);
        var primary = await fixture.Set.PrimaryAsync(Token);
        Assert.Equal(primary.Number, (await standing.LookAsync(Token)).Archive.Primary);

        await collection.InsertOneAsync(new BsonDocument("_id", "on the old primary"), null, Token);
        var moment = DateTimeOffset.UtcNow;
        await primary.KillAsync();
        await Wait.UntilAsync(
            async () => (await standing.LookAsync(Token)).Archive.Primary is { } now && now != primary.Number,
            () => $"another member is primary. {fixture.Set.Output}",
            Wait.Patience,
            Token);
        await collection.InsertOneAsync(new BsonDocument("_id", "on the new primary"), null, Token);

        // From the backup of the old primary, over the promotion.
        await CheckAsync(DateTimeOffset.UtcNow, "before", "on the new primary", "on the old primary");

        var second = await work.RunAsync(Token);
        Assert.True(second.IsProven);
        var status = await standing.LookAsync(Token);
        Assert.Equal(first.Stop, status.Window.From);
        Assert.Null(status.Window.Gap);

        await CheckAsync(moment, "before", "on the old primary");

        async Task CheckAsync(DateTimeOffset at, params string[] expected) =>
            Assert.Equal(expected, await BackupFixture.RestoredKeysAsync(host, new RestoreTarget(null, at), database, Token));
    }
}
