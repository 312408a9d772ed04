using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Platform.Backup.Agent;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;
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
        var verifier = new CopyVerifier(store, Settings(repository), TimeProvider.System);
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

    private static CopyWork Work(FakeRepository repository, FakeStore store) =>
        new(store, repository, Settings(repository), TimeProvider.System, NullLogger<CopyWork>.Instance);
}
