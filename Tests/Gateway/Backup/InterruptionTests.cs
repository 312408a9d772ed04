using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;
using Platform.Backup.Restoring;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>What is killed half-way leaves nothing that is called good and is not, and the next one completes it.</summary>
[Collection(BackupCollection.Name)]
public sealed class InterruptionTests(BackupFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("unfinished")]
    [InlineData("repository/backup/platform/*/bundle/1*")]
    [InlineData("repository/backup/platform/*/backup.manifest")]
    public async Task A_backup_whose_process_is_killed_is_made_good_by_the_next_one(string sign)
    {
        BackupFixture.Require();
        using var host = fixture.Host();
        var (work, engine) = (host.Services.GetRequiredService<BackupWork>(), host.Services.GetRequiredService<IBackupEngine>());
        if (!engine.HasRepository)
        {
            await work.RunAsync(Token);
        }

        var before = Signs(sign);
        var start = new ProcessStartInfo(BuiltProgram.Path("Backup"), ["run"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (key, value) in fixture.Settings())
        {
            start.Environment[key] = value;
        }

        using (var process = Process.Start(start)!)
        {
            await Wait.UntilAsync(() => Signs(sign).Except(before).Any() || process.HasExited, "the backup has come so far", Token);
            Assert.False(process.HasExited);
            process.Kill();
            await process.WaitForExitAsync(Token);
        }

        // Its pgBackRest may still be at work: then the next one is told so, and tries again.
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    Assert.True((await work.RunAsync(Token)).IsProven);
                    return true;
                }
                catch (BackupException e) when (e.ExitCode == ExitCodes.Busy)
                {
                    return false;
                }
            },
            () => "the next backup is made",
            Wait.Patience,
            Token);
        Assert.False(File.Exists(Path.Combine(fixture.Directory, "unfinished")));
        Assert.Empty((await work.VerifyAsync(null, accept: false, Token)).Findings);
        Assert.All(await engine.BackupsAsync(Token), backup => Assert.NotEqual(Platform.Backup.Policy.BackupProof.None, backup.Proof));
    }

    [Fact]
    public async Task A_restore_whose_process_is_killed_leaves_no_server_and_the_next_one_removes_its_data()
    {
        using var host = await fixture.HostWithBackupAsync(Token);

        var start = new ProcessStartInfo(BuiltProgram.Path("Backup"), ["restore", "--latest", "--serve", "--json"]) { RedirectStandardOutput = true };
        foreach (var (key, value) in fixture.Settings())
        {
            start.Environment[key] = value;
        }

        string address;
        using (var process = Process.Start(start)!)
        {
            var text = "";
            while (!text.EndsWith("}\n", StringComparison.Ordinal) || text.Count(c => c == '{') != text.Count(c => c == '}'))
            {
                var line = await process.StandardOutput.ReadLineAsync(Token);
                Assert.True(line is not null, $"The restore has ended: {text}");
                text += line + "\n";
            }

            address = BsonDocument.Parse(text)["connectionString"].AsString;
            using var open = new MongoClient(address);
            await open.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), null, Token);
            process.Kill();
            await process.WaitForExitAsync(Token);
        }

        var port = new MongoUrl(address).Server.Port;
        await Wait.UntilAsync(
            async () =>
            {
                using var socket = new System.Net.Sockets.TcpClient();
                try
                {
                    await socket.ConnectAsync("127.0.0.1", port, Token);
                    return false;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    return true;
                }
            },
            () => "nobody serves the copy any more",
            Wait.Patience,
            Token);
        var left = Directory.GetDirectories(Path.Combine(fixture.Directory, "scratch"));
        Assert.NotEmpty(left);
        await Wait.UntilAsync(
            () => !left.Any(copy => File.Exists(Path.Combine(copy, "data", "cluster", "postmaster.pid"))), "its server has ended", Token);
        var (copy, _) = await host.Services.GetRequiredService<RestoreWork>().OpenAsync(RestoreTarget.Latest, Token);
        await copy.DisposeAsync();
        Assert.All(left, directory => Assert.False(Directory.Exists(directory)));
    }

    private List<string> Signs(string pattern)
    {
        if (!pattern.Contains('*', StringComparison.Ordinal))
        {
            return [.. Directory.GetFiles(fixture.Directory, pattern)];
        }

        var parts = pattern.Split("/*/");
        var root = Path.Combine(fixture.Directory, parts[0]);
        return !Directory.Exists(root) ? []
            : [.. Directory.GetDirectories(root)
                .Select(backup => Path.Combine(backup, Path.GetDirectoryName(parts[1])!))
                .Where(Directory.Exists)
                .SelectMany(directory => Directory.GetFiles(directory, Path.GetFileName(parts[1])))];
    }
}
