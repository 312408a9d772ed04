using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using Platform.Backup.Agent;
using Platform.Backup.Engines;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>The data is gone, and a new database begins in its place.</summary>
public sealed class LostDataTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_that_was_archived_comes_back_and_a_new_database_is_backed_up_beside_it()
    {
        await using var fixture = await BackupFixture.StartAsync(1);
        using var host = fixture.Host();
        var work = host.Services.GetRequiredService<BackupWork>();
        var database = fixture.Set.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", "in the backup"), null, Token);
        var old = await work.RunAsync(Token);
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument("_id", "in the log"), null, Token);
        Assert.True(await host.Services.GetRequiredService<IBackupEngine>().FlushAsync(Token));

        await fixture.Set.ResizeAsync(0, Token);
        Directory.Delete(fixture.Set.DataOf(1), recursive: true);
        await CheckAsync(RestoreTarget.Latest, "in the backup", "in the log");

        await fixture.Set.ResizeAsync(1, Token);
        var (agent, state) = (host.Services.GetRequiredService<BackupAgent>(), host.Services.GetRequiredService<AgentState>());
        var owner = Path.Combine(fixture.Directory, "owner");
        await File.WriteAllTextAsync(owner, "/of/another/database", Token);
        await agent.LookAsync(Token);
        Assert.Contains("is of another database", state.Failure!.Sentence, StringComparison.Ordinal);
        await File.WriteAllTextAsync(owner, fixture.Set.DataOf(1), Token);

        using var restarted = fixture.Host();
        (agent, state) = (restarted.Services.GetRequiredService<BackupAgent>(), restarted.Services.GetRequiredService<AgentState>());
        await agent.LookAsync(Token);
        Assert.Null(state.Failure);
        Assert.NotEqual(old.Archive, state.Status!.Newest!.Archive);
        Assert.Equal(2, state.Status.Backups);
        Assert.Empty(state.Status.Problems);
        Assert.Empty((await work.VerifyAsync(null, accept: false, Token)).Findings);
        await CheckAsync(new RestoreTarget(old.Label, null), "in the backup");

        async Task CheckAsync(RestoreTarget target, params string[] expected) =>
            Assert.Equal(expected, await BackupFixture.RestoredKeysAsync(host, target, database, Token));
    }
}
