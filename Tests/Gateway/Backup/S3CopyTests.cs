using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Agent;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>Copies of a real repository in a bucket, by way of TLS.</summary>
public sealed class S3CopyTests
{
    private const int Documents = 500;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_copied_is_encrypted_and_compared_and_comes_back_when_the_site_is_lost()
    {
        await using var s3 = await S3Server.StartAsync(Token);
        await using var fixture = await BackupFixture.StartAsync(1);
        var orders = fixture.Set.Client.GetDatabase(ResourceNames.Database).GetCollection<BsonDocument>(CollectionNames.Orders);
        // Not to be compressed, so that it would be found if it were there.
        var marker = "marker" + Guid.NewGuid().ToString("N");
        await orders.InsertManyAsync(
            Enumerable.Range(0, Documents).Select(
                i => new BsonDocument { ["_id"] = i, ["secret"] = marker, ["noise"] = RandomNumberGenerator.GetHexString(900) }),
            null,
            Token);
        using (var host = fixture.Host(null, s3.Settings()))
        {
            var (work, copy) = (host.Services.GetRequiredService<BackupWork>(), host.Services.GetRequiredService<CopyWork>());
            await work.RunAsync(Token);
            await UntilWholeAsync(copy);
            await orders.InsertOneAsync(new BsonDocument("_id", "in the log"), null, Token);
            Assert.True(await host.Services.GetRequiredService<IBackupEngine>().FlushAsync(Token));
            await UntilWholeAsync(copy);
            AssertSame(fixture, s3);
        }

        // Whatever leaves the machine is encrypted: neither the data is to be read there nor what pgBackRest writes in words of its own.
        foreach (var path in s3.Objects().Where(path => !CopyNames.IsOurs(path)))
        {
            var bytes = await File.ReadAllBytesAsync(s3.FileOf(path), Token);
            foreach (var text in (string[])[marker, "[backrest]", "pg_data", "backup-label", "START WAL LOCATION", "PG_VERSION"])
            {
                Assert.True(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) < 0, $"{path} has {text}");
            }
        }

        Assert.Contains(
            Directory.GetFiles(Path.Combine(fixture.Set.DataOf(1), "cluster", "pg_wal"), "0*"),
            path => File.ReadAllBytes(path).AsSpan().IndexOf(Encoding.ASCII.GetBytes(marker)) >= 0);

        // By the commands, each a process of its own.
        (await RunAsync("verify", "--s3")).Expect(ExitCodes.Success);
        var listed = (await RunAsync("list", "--json")).Expect(ExitCodes.Success).Json;
        Assert.True(listed[0].GetProperty("copied").GetBoolean());
        foreach (var path in (string[])[
            "backup/platform/backup.info", s3.Objects().First(path => path.Contains("/bundle/", StringComparison.Ordinal)),
            s3.Objects().First(RepositoryPath.IsLog)])
        {
            var good = await File.ReadAllBytesAsync(s3.FileOf(path), Token);
            var bytes = good.ToArray();
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(s3.FileOf(path), bytes, Token);
            var found = (await RunAsync("verify", "--s3", "--json")).Expect(ExitCodes.Refused).Json.GetProperty("findings");
            var finding = Assert.Single(found.EnumerateArray());
            Assert.Equal((path, "was changed"), (finding.GetProperty("subject").GetString(), finding.GetProperty("fault").GetString()));
            Assert.Contains("The comparison of s3://backups/shop/db", (await RunAsync("status")).Expect(ExitCodes.Refused).Output, StringComparison.Ordinal);
            (await RunAsync("copy")).Expect(ExitCodes.Success);
            Assert.Equal(good, await File.ReadAllBytesAsync(s3.FileOf(path), Token));
        }

        var stolen = s3.Objects().First(RepositoryPath.IsLog);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(s3.FileOf(stolen))!, Path.GetFileName(stolen) + "._*"))
        {
            File.Delete(file);
        }

        using (var host = fixture.Host(null, s3.Settings()))
        {
            using var bytes = new MemoryStream([1]);
            await host.Services.GetRequiredService<ICopyStore>().PutAsync("backup/platform/added", ObjectHash.Of([1]), bytes, Token);
            var wrong = (await RunAsync("verify", "--s3")).Expect(ExitCodes.Refused);
            Assert.Contains($"! {stolen}: is missing", wrong.Output, StringComparison.Ordinal);
            Assert.Contains($"! backup/platform/added: {Finding.Added}", wrong.Output, StringComparison.Ordinal);
            await host.Services.GetRequiredService<ICopyStore>().DeleteAsync("backup/platform/added", Token);
        }

        (await RunAsync("copy")).Expect(ExitCodes.Success);
        (await RunAsync("verify", "--s3")).Expect(ExitCodes.Success);
        var status = (await RunAsync("status", "--json")).Expect(ExitCodes.Success).Json.GetProperty("copy");
        Assert.Equal((0, 0.0), (status.GetProperty("waiting").GetInt32(), status.GetProperty("lagSeconds").GetDouble()));

        // The site is lost: database, repository and all that the agent knew.
        await fixture.Set.ResizeAsync(0, Token);
        Directory.Delete(fixture.Set.DataOf(1), recursive: true);
        Directory.Delete(fixture.Directory, recursive: true);
        var label = listed[0].GetProperty("label").GetString()!;
        Assert.Equal(Documents + 1, await CountAsync("restore", "--from", "s3", "--latest"));
        Assert.Equal(Documents, await CountAsync("restore", "--from", "s3", "--backup", label));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(fixture.Directory, "scratch")));
        (await RunAsync("verify", "--s3")).Expect(ExitCodes.Success);

        // And the repository comes back, to go on with.
        (await RunAsync("fetch")).Expect(ExitCodes.Success);
        AssertSame(fixture, s3);
        (await RunAsync("verify")).Expect(ExitCodes.Success);
        Assert.Equal(Documents + 1, await CountAsync("restore", "--latest"));
        (await RunAsync("copy")).Expect(ExitCodes.Success);
        (await RunAsync("verify", "--s3")).Expect(ExitCodes.Success);
        Assert.Contains("it is not overwritten", (await RunAsync("fetch")).Expect(ExitCodes.Refused).Sentence, StringComparison.Ordinal);

        Task<ProgramResult> RunAsync(params string[] words) => fixture.RunAsync(words, Token, null, s3.Environment());

        async Task<long> CountAsync(params string[] words) => (await RunAsync([.. words, "--json"])).Expect(ExitCodes.Success).Json
            .GetProperty("collections").EnumerateArray().Single(found => found.GetProperty("name").GetString() == CollectionNames.Orders)
            .GetProperty("copy").GetInt64();
    }

    [Fact]
    public async Task While_the_bucket_is_away_backups_and_the_log_go_on_and_the_copy_catches_up_by_itself()
    {
        await using var s3 = await S3Server.StartAsync(Token);
        await using var fixture = await BackupFixture.StartAsync(1);
        using var host = fixture.Host(null, s3.Settings(("Interval", "00:00:00.200"), ("S3:MaxLag", "00:00:10")));
        var (work, engine) = (host.Services.GetRequiredService<BackupWork>(), host.Services.GetRequiredService<IBackupEngine>());
        var (standing, state) = (host.Services.GetRequiredService<BackupStanding>(), host.Services.GetRequiredService<AgentState>());
        using var agent = ActivatorUtilities.CreateInstance<CopyAgent>(host.Services);
        var first = await work.RunAsync(Token);
        await agent.StartAsync(Token);
        await UntilCopiedAsync();

        await s3.GoAwayAsync();
        var second = await work.RunAsync(Token);
        Assert.True(second.IsProven);
        Assert.True(await engine.FlushAsync(Token));
        await Wait.UntilAsync(() => state.CopyFailures > 1, "the agent has noticed", Token);
        await Wait.UntilAsync(
            async () => (await standing.LookAsync(Token)).Problems.Any(
                problem => problem.Contains("wait to be copied to s3://backups/shop/db", StringComparison.Ordinal)),
            "what waits for long is a problem",
            Token);
        var away = (await standing.LookAsync(Token)).Copy!;
        Assert.True(away.Waiting > 3 && away.WaitingBytes > 0, $"{away}");
        Assert.NotNull(away.Error);
        Assert.Equal(0, (await engine.StandingAsync(Token)).Waiting);
        Assert.DoesNotContain(s3.Objects(), path => RepositoryPath.LabelOf(path) == second.Label);

        await s3.GoOnAsync(Token);
        await UntilCopiedAsync();
        Assert.Contains(s3.Objects(), path => RepositoryPath.LabelOf(path) == second.Label);
        Assert.Contains(s3.Objects(), path => RepositoryPath.LabelOf(path) == first.Label);
        await agent.StopAsync(Token);
        AssertSame(fixture, s3);

        // What the policy removes here goes there, too, and no sooner.
        using var strict = fixture.Host(null, s3.Settings(("KeepDaily", "1"), ("KeepMonthly", "0"), ("Window", "00:00:00")));
        await strict.Services.GetRequiredService<BackupWork>().RunAsync(Token);
        Assert.NotEmpty((await strict.Services.GetRequiredService<BackupWork>().ExpireAsync(dryRun: false, Token)).Removed);
        Assert.Contains(s3.Objects(), path => RepositoryPath.LabelOf(path) == first.Label);
        await UntilWholeAsync(strict.Services.GetRequiredService<CopyWork>());
        Assert.DoesNotContain(s3.Objects(), path => RepositoryPath.LabelOf(path) == first.Label);
        AssertSame(fixture, s3);

        Task UntilCopiedAsync() => Wait.UntilAsync(
            async () => (await standing.LookAsync(Token)).Copy is { Waiting: 0, LastSuccess: not null, Error: null },
            () => $"nothing waits: {CopyRecord.Read(fixture.Directory)}",
            Wait.Patience * 2,
            Token);
    }

    [Fact]
    public async Task An_agent_that_is_killed_while_it_copies_leaves_nothing_wrong()
    {
        await using var s3 = await S3Server.StartAsync(Token);
        await using var fixture = await BackupFixture.StartAsync(1);
        using var host = fixture.Host(null, s3.Settings());
        await host.Services.GetRequiredService<BackupWork>().RunAsync(Token);
        var midway = 0;
        foreach (var enough in (int[])[1, 2, 4, 6])
        {
            await using var agent = ServerProcess.Start(
                BuiltProgram.Path("Backup"), ["agent"],
                fixture.Settings().Concat(s3.Environment().Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)))
                    .Append(KeyValuePair.Create<string, string?>("ASPNETCORE_URLS", "http://127.0.0.1:0")));
            await Wait.UntilAsync(() => s3.Objects().Count >= enough || !agent.IsRunning, "the agent has come so far", Token);
            Assert.True(agent.IsRunning, agent.Output);
            await agent.KillAsync();
            midway += s3.Objects().Any(RepositoryPath.IsInfo) ? 0 : 1;
        }

        Assert.True(midway > 0, "The agent was never killed midway.");
        await UntilWholeAsync(host.Services.GetRequiredService<CopyWork>());
        AssertSame(fixture, s3);
        Assert.Empty((await host.Services.GetRequiredService<CopyVerifier>().VerifyAsync(null, Token)).Findings);
    }

    [Fact]
    public async Task A_large_object_goes_in_parts_and_one_that_fails_midway_is_not_there()
    {
        await using var s3 = await S3Server.StartAsync(Token);
        var options = new BackupOptions();
        options.S3.PartMebibytes = 5;
        foreach (var (key, value) in s3.Settings().Where(setting => setting.Key != "S3:PathStyle"))
        {
            typeof(S3Options).GetProperty(key[3..])!.SetValue(options.S3, value);
        }

        options.S3.PathStyle = true;
        Assert.Empty(options.S3.Mistakes());
        using var store = new S3Store(Options.Create(options), TimeProvider.System);
        var bytes = RandomNumberGenerator.GetBytes(12 << 20);
        var hash = ObjectHash.Of(bytes);
        using (var content = new MemoryStream(bytes))
        {
            await store.PutAsync("archive/platform/large", hash, content, Token);
        }

        var listed = new List<StoredObject>();
        await foreach (var found in store.ListAsync(Token))
        {
            listed.Add(found);
        }

        Assert.Equal(("archive/platform/large", 12L << 20), (Assert.Single(listed).Path, listed[0].Length));
        Assert.True(await s3.RequestsAsync("partNumber=", 3, Token), string.Join('\n', s3.Requests));
        Assert.Equal(hash.Hash, await store.RecordedHashAsync("archive/platform/large", Token));
        using (var open = await store.OpenAsync("archive/platform/large", Token))
        {
            Assert.Equal(hash, await ObjectHash.OfAsync(open!.Content, null, Token));
        }

        // Shorter than it was said to be.
        using (var content = new MemoryStream(bytes, 0, 11 << 20))
        {
            await Assert.ThrowsAsync<BackupException>(() => store.PutAsync("archive/platform/half", hash, content, Token));
        }

        Assert.Null(await store.OpenAsync("archive/platform/half", Token));
        Assert.Null(await store.RecordedHashAsync("archive/platform/half", Token));
        await store.RemovePartsAsync(Token);
        await store.DeleteAsync("archive/platform/large", Token);
        await store.DeleteAsync("archive/platform/large", Token);
        await s3.GoAwayAsync();
        var away = await Assert.ThrowsAsync<BackupException>(() => store.RecordedHashAsync("archive/platform/large", Token));
        Assert.StartsWith("s3://backups/shop/db did not ask for archive/platform/large: ", away.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_without_a_trusted_certificate_and_a_command_without_a_bucket_are_refused_in_a_sentence()
    {
        await using var s3 = await S3Server.StartAsync(Token);
        await using var fixture = await BackupFixture.StartAsync(1);
        var none = (await fixture.RunAsync(["verify", "--s3"], Token)).Expect(ExitCodes.Usage);
        Assert.Equal("backup: There is no copy: Backup:S3:Bucket is not set.", none.Sentence);
        (await fixture.RunAsync(["restore", "--latest", "--from", "s3"], Token)).Expect(ExitCodes.Usage);
        (await fixture.RunAsync(["restore", "--latest", "--from", "tape"], Token, null, s3.Environment())).Expect(ExitCodes.Usage);
        var empty = (await fixture.RunAsync(["restore", "--latest", "--from", "s3"], Token, null, s3.Environment())).Expect(ExitCodes.Refused);
        Assert.Equal("backup: There is no copy of a repository in s3://backups/shop/db.", empty.Sentence);
        var untrusted = s3.Environment().Where(setting => !setting.Key.EndsWith("CaFile", StringComparison.Ordinal)).ToArray();
        var stranger = (await fixture.RunAsync(["restore", "--latest", "--from", "s3"], Token, null, untrusted)).Expect(ExitCodes.Unavailable);
        Assert.StartsWith("backup: s3://backups/shop/db did not give platform/objects: ", stranger.Sentence, StringComparison.Ordinal);
    }

    private static async Task UntilWholeAsync(CopyWork copy)
    {
        CopyRound round;
        do
        {
            round = await copy.RunAsync(Token);
        }
        while (round.IsCut);
        Assert.True(round.IsWhole);
    }

    // Byte by byte, and nothing else.
    private static void AssertSame(BackupFixture fixture, S3Server s3)
    {
        var here = Directory.GetFiles(fixture.Repository, "*", new EnumerationOptions
            {
                RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint,
            })
            .Select(file => Path.GetRelativePath(fixture.Repository, file)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(here, s3.Objects().Where(path => !CopyNames.IsOurs(path)));
        Assert.All(here, path => Assert.Equal(File.ReadAllBytes(Path.Combine(fixture.Repository, path)), File.ReadAllBytes(s3.FileOf(path))));
    }
}
