using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Backup.Agent;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;
using Platform.Backup.Restoring;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>The copy of a repository in a store, and what it is whatever fails.</summary>
public sealed class CopyWorkTests
{
    private const int Cases = 600;
    private const int Rounds = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_fails_the_copy_becomes_what_the_repository_is_and_never_lacks_what_its_lists_need()
    {
        var (failures, removed, listed) = (0, 0, 0);
        for (var seed = 1; seed <= Cases; seed++)
        {
            var random = new Random(seed);
            using var repository = new FakeRepository();
            var store = new FakeStore();
            var violations = new List<string>();
            store.Changed = objects => violations.AddRange(FakeRepository.Missing(objects));
            var chance = random.NextDouble() * 0.3;
            store.Fault = _ => random.NextDouble() >= chance ? FakeFault.None : random.Next(2) == 0 ? FakeFault.Before : FakeFault.After;
            var work = Work(repository, store);
            repository.Between = async () =>
            {
                // Who copies comes in between any two steps of a change.
                if (random.Next(4) == 0)
                {
                    await TryAsync();
                }
            };
            for (var round = 0; round < Rounds; round++)
            {
                switch (random.Next(6))
                {
                    case 0 or 1:
                        await repository.BackUpAsync(random);
                        break;
                    case 2:
                        await repository.ExpireAsync();
                        break;
                    case 3:
                        // The agent was killed: what it had in memory is gone, and at times what it had written down of the copy, too.
                        work = Work(repository, store);
                        if (random.Next(2) == 0)
                        {
                            File.Delete(Path.Combine(repository.Directory, "copied"));
                        }

                        break;
                    default:
                        repository.Archive(random);
                        break;
                }

                await TryAsync();
            }

            await repository.BackUpAsync(random);
            store.Fault = _ => FakeFault.None;
            CopyRound last;
            do
            {
                last = await work.RunAsync(Token);
            }
            while (last.IsCut);
            // What was sent by an agent that could not write it down is found when the store is asked again.
            await Work(repository, store).RunAsync(Token);

            Assert.True(last.IsWhole, Case("the copy is not whole"));
            Assert.True(violations.Count == 0, Case(violations.FirstOrDefault() ?? ""));
            var (here, there) = (repository.Files(), store.Objects.Where(entry => RepositoryPath.IsOfRepository(entry.Key)).ToDictionary());
            Assert.True(
                here.Keys.Order(StringComparer.Ordinal).SequenceEqual(there.Keys.Order(StringComparer.Ordinal)),
                Case($"here alone: {string.Join(' ', here.Keys.Except(there.Keys))}; there alone: {string.Join(' ', there.Keys.Except(here.Keys))}"));
            Assert.All(here, entry => Assert.True(entry.Value.AsSpan().SequenceEqual(there[entry.Key]), Case(entry.Key)));
            Assert.Equal(
                await File.ReadAllTextAsync(ObjectList.FileOf(repository.Directory), Token), Encoding.UTF8.GetString(store.Objects[CopyNames.List]));
            listed += there.Count;

            async Task TryAsync()
            {
                try
                {
                    removed += (await work.RunAsync(Token)).Removed;
                }
                catch (BackupException e) when (e.ExitCode == ExitCodes.Unavailable)
                {
                    failures++;
                }
            }

            string Case(string what) => string.Create(CultureInfo.InvariantCulture, $"Seed {seed}: {what}");
        }

        // The cases are what they are meant to be.
        Assert.True(failures > Cases && removed > Cases && listed > 10 * Cases, $"{failures} failures, {removed} removed, {listed} objects");
    }

    [Fact]
    public async Task What_has_arrived_is_not_sent_again_even_when_the_agent_forgets_it()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        var sent = store.Sent.Count;
        await Work(repository, store).RunAsync(Token);
        Assert.Equal(sent, store.Sent.Count);
        File.Delete(Path.Combine(repository.Directory, "copied"));
        await Work(repository, store).RunAsync(Token);
        // Only the list of hashes, which is not of the repository.
        Assert.Equal([CopyNames.List], store.Sent.Skip(sent));
    }

    [Fact]
    public async Task An_object_that_is_not_as_it_was_is_not_copied_and_what_somebody_removes_here_stays_there()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        var bundle = repository.Files().Keys.First(path => path.Contains("/bundle/", StringComparison.Ordinal));
        var good = await File.ReadAllBytesAsync(repository.Full(bundle), Token);
        await File.WriteAllBytesAsync(repository.Full(bundle), [.. good, 1], Token);
        var spoiled = await Assert.ThrowsAsync<BackupException>(() => Work(repository, store).RunAsync(Token));
        Assert.StartsWith($"{bundle} is not in the repository as it was", spoiled.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(bundle, store.Objects.Keys);
        Assert.DoesNotContain(store.Objects.Keys, RepositoryPath.IsInfo);

        await File.WriteAllBytesAsync(repository.Full(bundle), good, Token);
        repository.Archive(new Random(1));
        Assert.True((await Work(repository, store).RunAsync(Token)).IsWhole);
        var whole = store.Objects;
        foreach (var file in Directory.GetFiles(Path.Combine(repository.Directory, "repository"), "*", SearchOption.AllDirectories)
            .Where(file => !file.Contains(".info", StringComparison.Ordinal)))
        {
            File.Delete(file);
        }

        await Work(repository, store).RunAsync(Token);
        Assert.Equal(whole.Keys, store.Objects.Keys);
        Directory.Delete(Path.Combine(repository.Directory, "repository"), recursive: true);
        var gone = await Assert.ThrowsAsync<BackupException>(() => Work(repository, store).RunAsync(Token));
        Assert.Contains("stays as it is", gone.Message, StringComparison.Ordinal);
        Assert.Equal(whole.Keys, store.Objects.Keys);
    }

    [Fact]
    public async Task The_copy_of_another_repository_is_not_overwritten()
    {
        using var first = await FilledAsync();
        using var second = await FilledAsync();
        var store = new FakeStore();
        await Work(first, store).RunAsync(Token);
        var before = store.Objects;
        var refused = await Assert.ThrowsAsync<BackupException>(() => Work(second, store).RunAsync(Token));
        Assert.Contains("of another repository", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, store.Objects);
        // Nor are parts that the other one is just sending removed.
        Assert.Equal(1, store.PartsRemoved);
        // As when the marks of this machine are lost: the sentence says what to do, and that is enough.
        var id = refused.Message.Split("write ")[1].Split(' ')[0];
        Assert.Equal(id, (await File.ReadAllTextAsync(CopyIdentity.FileOf(first.Directory), Token)).Trim());
        File.Delete(CopyIdentity.FileOf(first.Directory));
        await Assert.ThrowsAsync<BackupException>(() => Work(first, store).RunAsync(Token));
        await File.WriteAllTextAsync(CopyIdentity.FileOf(first.Directory), id, Token);
        Assert.True((await Work(first, store).RunAsync(Token)).IsWhole);
    }

    [Fact]
    public async Task A_flipped_byte_a_missing_object_and_one_too_many_in_the_copy_are_named_and_made_good()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        repository.Archive(new Random(2));
        await Work(repository, store).RunAsync(Token);
        var verifier = Verifier(repository, store);
        Assert.Empty((await verifier.VerifyAsync(null, Token)).Findings);

        var objects = store.Objects;
        foreach (var (path, bytes) in objects.Where(entry => entry.Key != CopyNames.Identity))
        {
            var changed = bytes.ToArray();
            changed[changed.Length / 2] ^= 4;
            store.Plant(path, changed);
            Assert.Equal(new Finding(path, "was changed"), Assert.Single((await verifier.VerifyAsync(null, Token)).Findings));
            await Work(repository, store).RunAsync(Token);
            Assert.Empty((await verifier.VerifyAsync(null, Token)).Findings);
        }

        var stolen = objects.Keys.First(RepositoryPath.IsLog);
        store.Steal(stolen);
        store.Plant("backup/platform/added", [1], "of somebody");
        Assert.Equal(
            [new Finding("backup/platform/added", Finding.Added), new Finding(stolen, "is missing")], (await verifier.VerifyAsync(null, Token)).Findings);
        Assert.Equal(2, CopyVerification.Read(repository.Directory)!.Findings.Count);
    }

    [Fact]
    public async Task What_is_missing_in_the_copy_is_found_also_when_this_machine_has_lost_its_notes()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        var work = Work(repository, store);
        await work.RunAsync(Token);
        var verifier = Verifier(repository, store);
        store.Steal(CopyNames.List);
        Assert.Equal(new Finding(CopyNames.List, "is missing"), Assert.Single((await verifier.VerifyAsync(null, Token)).Findings));
        await work.RunAsync(Token);
        Assert.Empty((await verifier.VerifyAsync(null, Token)).Findings);

        File.Delete(Path.Combine(repository.Directory, "copied"));
        Assert.Empty((await verifier.VerifyAsync(null, Token)).Findings);
        foreach (var stolen in (string[])[
            RepositoryFiles.Infos[^1], store.Objects.Keys.First(RepositoryPath.IsLog),
            store.Objects.Keys.First(path => path.Contains("/bundle/", StringComparison.Ordinal))])
        {
            store.Steal(stolen);
            File.Delete(Path.Combine(repository.Directory, "copied"));
            Assert.Equal(new Finding(stolen, "is missing"), Assert.Single((await verifier.VerifyAsync(null, Token)).Findings));
            await Work(repository, store).RunAsync(Token);
            Assert.Empty((await verifier.VerifyAsync(null, Token)).Findings);
        }
    }

    [Fact]
    public async Task While_a_backup_waits_to_be_copied_the_copy_is_good_and_that_backup_is_not_in_it()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        await repository.BackUpAsync(new Random(5));
        var label = (await repository.BackupsAsync(Token))[^1].Label;
        var verifier = Verifier(repository, store);
        Assert.Empty((await verifier.VerifyAsync(null, Token)).Findings);
        Assert.Equal(new Finding(label, "is not copied yet"), Assert.Single((await verifier.VerifyAsync(label, Token)).Findings));
        Assert.Empty((await verifier.VerifyAsync((await repository.BackupsAsync(Token))[0].Label, Token)).Findings);
        Assert.True((await Work(repository, store).RunAsync(Token)).IsWhole);
        Assert.Empty((await verifier.VerifyAsync(label, Token)).Findings);
        Assert.Equal(
            ExitCodes.Usage, (await Assert.ThrowsAsync<BackupException>(() => verifier.VerifyAsync("20250101-000000F", Token))).ExitCode);
    }

    [Fact]
    public async Task What_a_comparison_has_found_is_told_also_while_another_process_copies()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        var stolen = store.Objects.Keys.First(RepositoryPath.IsLog);
        store.Steal(stolen);
        using (RepositoryLock.TakeCopy(repository.Directory))
        {
            Assert.Equal(new Finding(stolen, "is missing"), Assert.Single((await Verifier(repository, store).VerifyAsync(null, Token)).Findings));
        }
    }

    [Fact]
    public async Task An_older_state_of_the_repository_takes_nothing_from_the_copy()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        using var older = repository.Copy();
        using var busy = repository.Copy();
        var agent = Work(busy, store);
        Assert.True((await agent.RunAsync(Token)).IsWhole);
        await repository.BackUpAsync(new Random(6));
        await Work(repository, store).RunAsync(Token);
        var whole = store.Objects;

        await RefusedAsync(Work(older, store));
        Assert.Equal(whole, store.Objects);
        // Nor when it has gone on by itself, whether its agent compares first or has just done so.
        await older.BackUpAsync(new Random(7));
        await RefusedAsync(Work(older, store));
        Assert.Equal(whole, store.Objects);
        await busy.BackUpAsync(new Random(8));
        await RefusedAsync(agent);
        var objects = store.Objects;
        Assert.All(whole, entry => Assert.Equal(entry.Value, objects[entry.Key]));

        // Without the copy's list nobody can tell; no backup is removed all the same.
        store.Steal(CopyNames.List);
        Assert.True((await Work(older, store).RunAsync(Token)).IsWhole);
        objects = store.Objects;
        Assert.All(
            whole.Where(entry => RepositoryPath.LabelOf(entry.Key) is not null || RepositoryPath.IsHistory(entry.Key)),
            entry => Assert.Equal(entry.Value, objects[entry.Key]));

        async Task RefusedAsync(CopyWork work) => Assert.Equal(
            "The copy in s3://fake/ is newer than the repository: './platform backup fetch', or another machine copies to it.",
            (await Assert.ThrowsAsync<BackupException>(() => work.RunAsync(Token))).Message);
    }

    [Fact]
    public async Task A_fetch_that_fails_leaves_nothing_by_which_a_new_repository_takes_the_place_of_the_copy()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        using (var target = new FakeRepository())
        {
            var gets = 0;
            store.Fault = request => request == "get" && ++gets > 4 ? FakeFault.Before : FakeFault.None;
            await Assert.ThrowsAsync<BackupException>(() => Fetch(target).ReturnAsync(Token));
            Assert.True(gets > 4);
            store.Fault = _ => FakeFault.None;
            Assert.False(File.Exists(CopyIdentity.FileOf(target.Directory)));
            var before = store.Objects;
            await target.BackUpAsync(new Random(5));
            var refused = await Assert.ThrowsAsync<BackupException>(() => Work(target, store).RunAsync(Token));
            Assert.Contains("of another repository", refused.Message, StringComparison.Ordinal);
            Assert.Equal(before, store.Objects);
        }

        using var again = new FakeRepository();
        await Fetch(again).ReturnAsync(Token);
        Assert.Equal(
            await File.ReadAllTextAsync(CopyIdentity.FileOf(repository.Directory), Token),
            await File.ReadAllTextAsync(CopyIdentity.FileOf(again.Directory), Token));
        Assert.Equal(repository.Files().Keys.Order(StringComparer.Ordinal), again.Files().Keys.Order(StringComparer.Ordinal));

        RemoteRestore Fetch(FakeRepository target) =>
            new(new CopyFetch(store), store, target, _ => throw new NotSupportedException(), Settings(target), TimeProvider.System);
    }

    [Fact]
    public async Task A_segment_of_the_log_that_changed_before_a_list_knew_it_does_not_replace_the_good_one()
    {
        using var repository = await FilledAsync();
        var store = new FakeStore();
        var known = repository.Files().Keys.ToHashSet(StringComparer.Ordinal);
        repository.Archive(new Random(9));
        await Work(repository, store).RunAsync(Token);
        var segment = repository.Files().Keys.Single(path => !known.Contains(path));
        var good = store.Objects[segment];
        await File.WriteAllBytesAsync(repository.Full(segment), [.. good, 1], Token);
        var spoiled = await Assert.ThrowsAsync<BackupException>(() => Work(repository, store).RunAsync(Token));
        Assert.StartsWith($"{segment} is not in the repository as it was", spoiled.Message, StringComparison.Ordinal);
        Assert.Equal(good, store.Objects[segment]);
        // Also when a list has taken it for good meanwhile.
        await repository.BackUpAsync(new Random(10));
        await Assert.ThrowsAsync<BackupException>(() => Work(repository, store).RunAsync(Token));
        Assert.Equal(good, store.Objects[segment]);
    }

    [Fact]
    public async Task Without_a_repository_the_store_is_not_asked_and_nothing_is_called_whole()
    {
        using var repository = new FakeRepository();
        var store = new FakeStore();
        Assert.False((await Work(repository, store).RunAsync(Token)).IsWhole);
        var agent = new CopyAgent(
            Work(repository, store), new AgentState(), Settings(repository), TimeProvider.System, NullLogger<CopyAgent>.Instance);
        await agent.RunAsync(Token);
        Assert.Equal(CopyRecord.None, CopyRecord.Read(repository.Directory));
        Assert.Equal(0, store.Requests);
    }

    [Fact]
    public async Task An_agent_that_can_neither_read_nor_write_how_the_copy_stands_goes_on()
    {
        using var repository = await FilledAsync();
        Directory.CreateDirectory(Path.Combine(repository.Directory, "copy.json"));
        var state = new AgentState();
        var agent = new CopyAgent(
            Work(repository, new FakeStore()), state, Settings(repository), TimeProvider.System, NullLogger<CopyAgent>.Instance);
        Assert.Equal(1, (await agent.RunAsync(Token)).TotalSeconds);
        Assert.Equal(2, (await agent.RunAsync(Token)).TotalSeconds);
        Assert.Equal(2, state.CopyFailures);
    }

    [Fact]
    public async Task Who_reads_from_a_store_that_falls_silent_is_told_so()
    {
        var clock = new FakeTimeProvider();
        var pipe = new Pipe();
        await using var stream = new PatientStream(
            pipe.Reader.AsStream(), TimeSpan.FromMinutes(1), clock, e => new BackupException(e.Message, ExitCodes.Unavailable, e));
        await pipe.Writer.WriteAsync(new byte[] { 1, 2 }, Token);
        var buffer = new byte[10];
        Assert.Equal(2, await stream.ReadAsync(buffer, Token));
        var silent = stream.ReadAsync(buffer, Token).AsTask();
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(silent.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("nothing came for 00:01:00", (await Assert.ThrowsAsync<BackupException>(() => silent)).Message);
        using (var ended = new CancellationTokenSource())
        {
            var read = stream.ReadAsync(buffer, ended.Token).AsTask();
            await ended.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        }

        await pipe.Writer.CompleteAsync(new IOException("The connection was reset."));
        Assert.Equal(
            "The connection was reset.", (await Assert.ThrowsAsync<BackupException>(() => stream.ReadAsync(buffer, Token).AsTask())).Message);
    }

    [Fact]
    public async Task A_secret_that_cannot_be_read_is_a_sentence_and_is_read_again()
    {
        var secret = Path.Combine(Path.GetTempPath(), $"secret-{Guid.NewGuid():N}");
        var options = new BackupOptions
        {
            S3 =
            {
                Bucket = "backups", Endpoint = "https://127.0.0.1:1", PathStyle = true, AccessKeyId = "KEY", SecretAccessKeyFile = secret,
            },
        };
        using var store = new S3Store(Options.Create(options), TimeProvider.System);
        var failed = await Assert.ThrowsAsync<BackupException>(() => store.RecordedHashAsync("any", Token));
        Assert.Equal(ExitCodes.Configuration, failed.ExitCode);
        Assert.Contains(secret, failed.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(secret, "a secret", Token);
        try
        {
            // Nobody listens there; it is asked now.
            Assert.Equal(
                ExitCodes.Unavailable, (await Assert.ThrowsAsync<BackupException>(() => store.RecordedHashAsync("any", Token))).ExitCode);
        }
        finally
        {
            File.Delete(secret);
        }
    }

    [Fact]
    public async Task What_is_fetched_is_what_was_copied_and_what_was_changed_there_is_refused()
    {
        using var repository = await FilledAsync();
        repository.Archive(new Random(3));
        var store = new FakeStore();
        await Work(repository, store).RunAsync(Token);
        var fetch = new CopyFetch(store);
        var target = Directory.CreateTempSubdirectory("fetched-");
        try
        {
            var list = await fetch.FetchListsAsync(target.FullName, FakeRepository.PassPhrase, Token);
            await fetch.FetchAsync(list, target.FullName, _ => true, Token);
            var files = repository.Files();
            Assert.Equal(
                files.Keys.Order(StringComparer.Ordinal),
                Directory.GetFiles(target.FullName, "*", SearchOption.AllDirectories)
                    .Select(file => Path.GetRelativePath(Path.Combine(target.FullName, "repository"), file)).Order(StringComparer.Ordinal));
            Assert.All(files, file => Assert.Equal(file.Value, File.ReadAllBytes(Path.Combine(target.FullName, "repository", file.Key))));

            // A way out of the directory is none.
            store.Plant("archive/platform/../../../../escaped", [1], ObjectHash.Of([1]).Hash);
            await fetch.FetchAsync(list, target.FullName, _ => true, Token);
            Assert.False(File.Exists(Path.Combine(target.Parent!.FullName, "escaped")));

            var bundle = files.Keys.First(path => path.Contains("/bundle/", StringComparison.Ordinal));
            store.Plant(bundle, [1], ObjectHash.Of([1]).Hash);
            var refused = await Assert.ThrowsAsync<BackupException>(() => fetch.FetchAsync(list, target.FullName, _ => true, Token));
            Assert.StartsWith($"{bundle} in s3://fake/ is not as it was sent", refused.Message, StringComparison.Ordinal);
            store.Steal(bundle);
            refused = await Assert.ThrowsAsync<BackupException>(() => fetch.FetchAsync(list, target.FullName, _ => true, Token));
            Assert.Equal($"{bundle} is missing in s3://fake/.", refused.Message);
            refused = await Assert.ThrowsAsync<BackupException>(
                () => fetch.FetchListsAsync(target.FullName, "a pass phrase of somebody else altogether", Token));
            Assert.Contains("Backup:PassPhrase", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            target.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_store_that_is_away_is_asked_after_ever_longer_pauses_and_gets_what_it_missed()
    {
        using var repository = await FilledAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var (store, state) = (new FakeStore(), new AgentState());
        var agent = new CopyAgent(Work(repository, store), state, Settings(repository), clock, NullLogger<CopyAgent>.Instance);
        var look = new CopyLook(Settings(repository), clock);
        store.Fault = _ => FakeFault.Before;
        var began = clock.GetUtcNow();
        var pauses = new List<double>();
        for (var i = 0; i < 11; i++)
        {
            pauses.Add((await agent.RunAsync(Token)).TotalSeconds);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], pauses);
        Assert.Equal(11, state.CopyFailures);
        clock.Advance(TimeSpan.FromHours(2));
        var away = (await look.LookAsync(Token))!;
        Assert.Equal((null, repository.Files().Count), (away.LastSuccess, away.Waiting));
        Assert.Equal(repository.Files().Values.Sum(bytes => bytes.Length), away.WaitingBytes);
        Assert.InRange(away.LagSeconds, 7100, 7300);
        Assert.Contains("it is away", away.Error, StringComparison.Ordinal);
        Assert.Empty((await look.BackupsAsync(Token))!);
        await agent.RunAsync(Token);
        Assert.Equal(began, (await look.LookAsync(Token))!.ErrorAt);

        store.Fault = _ => FakeFault.None;
        Assert.Equal(10, (await agent.RunAsync(Token)).TotalSeconds);
        var back = (await look.LookAsync(Token))!;
        Assert.Equal((clock.GetUtcNow(), 0, 0L, 0.0, null), (back.LastSuccess, back.Waiting, back.WaitingBytes, back.LagSeconds, back.Error));
        Assert.Contains((await repository.BackupsAsync(Token))[0].Label, (await look.BackupsAsync(Token))!);
        store.Fault = _ => FakeFault.Before;
        repository.Archive(new Random(4));
        Assert.Equal(1, (await agent.RunAsync(Token)).TotalSeconds);
    }

    private static async Task<FakeRepository> FilledAsync()
    {
        var repository = new FakeRepository();
        var random = new Random(17);
        repository.Archive(random);
        await repository.BackUpAsync(random);
        await repository.BackUpAsync(random);
        return repository;
    }

    private static IOptions<BackupOptions> Settings(FakeRepository repository) => Options.Create(new BackupOptions
    {
        Directory = repository.Directory, PassPhrase = FakeRepository.PassPhrase, S3 = { Bucket = "backups" },
    });

    private static CopyVerifier Verifier(FakeRepository repository, FakeStore store) =>
        new(store, Settings(repository), TimeProvider.System, NullLogger<CopyVerifier>.Instance);

    private static CopyWork Work(FakeRepository repository, FakeStore store) =>
        new(store, repository, Settings(repository), TimeProvider.System, NullLogger<CopyWork>.Instance);
}
