using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>Whatever a disk, or somebody, does to the repository is found and named.</summary>
[Collection(BackupCollection.Name)]
public sealed class CorruptionTests(BackupFixture fixture)
{
    private const int Flips = 200;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Backup_files_are_not_corrupted_or_verify_names_those_that_are()
    {
        using var host = await PrepareAsync();
        var work = host.Services.GetRequiredService<BackupWork>();
        var files = Objects();
        // Every kind that there is, and none that nobody thought of.
        var kinds = files.GroupBy(KindOf).ToDictionary(kind => kind.Key, kind => kind.ToList());
        Assert.Equal(
            ["archive list", "backup label", "backup list", "bundle", "history", "log", "manifest", "mark in the log", "timeline"],
            kinds.Keys.Order(StringComparer.Ordinal));

        var random = new Random(19);
        var done = 0;
        for (var round = 0; done < Flips; round++)
        {
            // Of each kind one, or all that there are, at another place each time.
            var hit = (round % 2 == 0 ? kinds.Values.Select(kind => kind[random.Next(kind.Count)]) : files)
                .ToDictionary(path => path, path => File.ReadAllBytes(Full(path)));
            foreach (var (path, bytes) in hit)
            {
                var changed = bytes.ToArray();
                changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                await File.WriteAllBytesAsync(Full(path), changed, Token);
            }

            done += hit.Count;
            // That pgBackRest cannot read its list either is no reason for not saying what is wrong.
            var found = await FindAsync(work);
            foreach (var (path, bytes) in hit)
            {
                await File.WriteAllBytesAsync(Full(path), bytes, Token);
            }

            Assert.Equal(
                hit.Keys.Order(StringComparer.Ordinal),
                found.Where(finding => finding.Fault == "was changed").Select(finding => finding.Subject).Order(StringComparer.Ordinal));
        }

        Assert.Empty(await FindAsync(work));
    }

    [Fact]
    public async Task A_missing_object_and_one_too_many_are_named()
    {
        using var host = await PrepareAsync();
        var work = host.Services.GetRequiredService<BackupWork>();
        var segment = Objects().First(path => KindOf(path) == "log");
        var bundle = Objects().First(path => KindOf(path) == "bundle");
        File.Move(Full(segment), fixture.Directory + "/kept");
        await File.WriteAllTextAsync(Full(bundle + "0"), "added", Token);
        var found = await FindAsync(work);
        File.Move(fixture.Directory + "/kept", Full(segment));
        File.Delete(Full(bundle + "0"));
        Assert.Contains(new Finding(segment, "is missing"), found);
        Assert.Contains(new Finding(bundle + "0", Finding.Added), found);
    }

    [Fact]
    public async Task A_backup_with_which_something_is_wrong_counts_for_nothing_and_another_one_is_due()
    {
        using var host = await PrepareAsync();
        var (work, standing) = (host.Services.GetRequiredService<BackupWork>(), host.Services.GetRequiredService<BackupStanding>());
        var bad = (await work.RunAsync(Token)).Label;
        var bundle = Full($"backup/platform/{bad}/bundle/1");
        var bytes = await File.ReadAllBytesAsync(bundle, Token);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(bundle, bytes, Token);

        var found = await FindAsync(work);
        Assert.Contains(found, finding => finding.Subject == bad);
        var status = await standing.LookAsync(Token);
        Assert.NotEqual(bad, status.Newest?.Label);
        Assert.Contains(status.Problems, problem => problem.Contains(bad, StringComparison.Ordinal));
        var listed = (await standing.ListAsync(Token)).Single(entry => entry.Backup.Label == bad);
        Assert.Equal(BackupProof.Disproved, listed.Backup.Proof);
        (await fixture.RunAsync(["status"], Token)).Expect(ExitCodes.Refused);

        // Out of the way of the other tests.
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(bundle, bytes, Token);
        Assert.Empty(await FindAsync(work));
    }

    [Fact]
    public async Task A_lost_list_of_hashes_is_said_and_made_anew_only_when_that_is_asked_for()
    {
        using var host = await PrepareAsync();
        var work = host.Services.GetRequiredService<BackupWork>();
        File.Delete(ObjectList.FileOf(fixture.Directory));
        foreach (var attempt in (Func<Task>[])[
            () => work.VerifyAsync(null, false, Token), () => work.RunAsync(Token), () => work.ExpireAsync(false, Token)])
        {
            var refused = await Assert.ThrowsAsync<BackupException>(attempt);
            Assert.Contains("--accept", refused.Message, StringComparison.Ordinal);
        }

        Assert.Empty((await work.VerifyAsync(null, accept: true, Token)).Findings);
        Assert.Empty(await FindAsync(work));
    }

    [Fact]
    public async Task A_repository_that_is_gone_is_not_begun_anew_in_silence()
    {
        using var host = await PrepareAsync();
        var work = host.Services.GetRequiredService<BackupWork>();
        var elsewhere = fixture.Directory + "-elsewhere";
        Directory.Move(Path.Combine(fixture.Repository, "backup"), elsewhere);
        try
        {
            var refused = await Assert.ThrowsAsync<BackupException>(() => work.RunAsync(Token));
            Assert.Contains("is gone", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Move(elsewhere, Path.Combine(fixture.Repository, "backup"));
        }
    }

    private static async Task<IReadOnlyList<Finding>> FindAsync(BackupWork work) => (await work.VerifyAsync(null, accept: false, Token)).Findings;

    private async Task<IHost> PrepareAsync()
    {
        var host = await fixture.HostWithBackupAsync(Token);
        // What was archived meanwhile comes into the list.
        Assert.Empty(await FindAsync(host.Services.GetRequiredService<BackupWork>()));
        return host;
    }

    private string Full(string path) => Path.Combine(fixture.Repository, path);

    // Those that are in the list.
    private List<string> Objects() =>
        [.. ObjectList.ReadAsync(fixture.Directory, BackupFixture.PassPhrase, Token).GetAwaiter().GetResult().Objects.Keys];

    private static string KindOf(string path) => path switch
    {
        _ when path.Contains("/backup.info", StringComparison.Ordinal) => "backup list",
        _ when path.Contains("/archive.info", StringComparison.Ordinal) => "archive list",
        _ when path.Contains("/backup.history/", StringComparison.Ordinal) => "history",
        _ when path.Contains("/backup.manifest", StringComparison.Ordinal) => "manifest",
        _ when path.Contains("/bundle/", StringComparison.Ordinal) => "bundle",
        _ when path.Contains("/pg_data/", StringComparison.Ordinal) => "backup label",
        _ when path.EndsWith(".history", StringComparison.Ordinal) => "timeline",
        _ when path.EndsWith(".backup", StringComparison.Ordinal) => "mark in the log",
        _ when path.EndsWith(".zst", StringComparison.Ordinal) => "log",
        _ => path,
    };
}
