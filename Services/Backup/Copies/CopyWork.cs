using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>
/// Makes the copy what the repository is, in rounds. It only reads the repository and needs no lock of it, so that neither backups nor the log ever wait for
/// the store. What refers to others is sent after them: killed anywhere, whatever the copy's lists refer to is there. An object that is not as the signed list
/// says is not sent, and none is removed that the policy has not removed here.
/// </summary>
internal sealed partial class CopyWork(
    ICopyStore store, IBackupEngine engine, IOptions<BackupOptions> options, TimeProvider time, ILogger<CopyWork> logger)
{
    private static readonly TimeSpan s_compareAgain = TimeSpan.FromHours(1);

    // The log that came meanwhile is sent before the rest of a large backup.
    private static readonly TimeSpan s_longestRound = TimeSpan.FromSeconds(30);
    private static readonly ParallelOptions s_atOnce = new() { MaxDegreeOfParallelism = 4 };

    private readonly string _directory = options.Value.Directory;
    private DateTimeOffset? _comparedAt;

    /// <summary>Does one round.</summary>
    /// <exception cref="BackupException">The store does not answer, or something is wrong; what was done until then counts.</exception>
    public async Task<CopyRound> RunAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_directory))
        {
            return CopyRound.Nothing;
        }

        using var taken = RepositoryLock.TakeCopy(_directory);
        if (await ReadListAsync(cancellationToken) is not { } list)
        {
            return CopyRound.Nothing;
        }

        var ledger = CopyLedger.Read(_directory);
        try
        {
            if (_comparedAt is not { } at || (time.GetUtcNow() - at).Duration() >= s_compareAgain)
            {
                await CompareAsync(list, ledger, cancellationToken);
                _comparedAt = time.GetUtcNow();
            }

            return await RunAsync(list, ledger, cancellationToken);
        }
        catch
        {
            // Nobody knows what has arrived of it.
            _comparedAt = null;
            throw;
        }
        finally
        {
            ledger.Write();
        }
    }

    private async Task<CopyRound> RunAsync(ObjectList list, CopyLedger ledger, CancellationToken cancellationToken)
    {
        var files = RepositoryFiles.Read(list, _directory);
        // After the objects: what they refer to was there then, and unless the list says the same of them something is being done.
        var infos = await ReadInfosAsync(list, cancellationToken);
        var sending = new Sending(time.GetTimestamp());
        await Parallel.ForEachAsync(
            files.Where(file => !CopyLag.IsCopied(file, list, ledger)).ToList(),
            new ParallelOptions { MaxDegreeOfParallelism = s_atOnce.MaxDegreeOfParallelism, CancellationToken = cancellationToken },
            async (file, token) => await SendAsync(file, list, ledger, sending, token));
        var isWhole = !sending.IsCut && sending.Spoiled.IsEmpty && infos is not null;
        var missing = isWhole
            ? list.Objects.Where(entry => !RepositoryPath.IsInfo(entry.Key) && ledger.Objects.GetValueOrDefault(entry.Key)?.Hash != entry.Value)
                .Select(entry => entry.Key).FirstOrDefault()
            : null;
        var removed = 0;
        if (isWhole && missing is null)
        {
            await PublishAsync(infos!, list, ledger, sending, cancellationToken);
            removed = await RemoveAsync(files, list, ledger, cancellationToken);
        }

        if (sending.Spoiled.TryPeek(out var spoiled) || (missing is not null && await IsStillAsync(list, cancellationToken)))
        {
            throw new BackupException(
                $"{spoiled ?? missing} is not in the repository as it was, so it is not copied: 'backup verify' says more.", ExitCodes.Refused);
        }

        return new CopyRound(sending.Objects, sending.Bytes, removed, isWhole && missing is null, sending.IsCut);
    }

    /// <summary>The list; null when the first backup is still to come.</summary>
    private async Task<ObjectList?> ReadListAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(ObjectList.FileOf(_directory)) && (UnfinishedWork.Read(_directory) is not null || !engine.HasRepository))
        {
            return null;
        }

        var list = await ObjectList.ReadAsync(_directory, options.Value.PassPhrase, cancellationToken);
        return engine.HasRepository || list.Objects.Count == 0 ? list : throw new BackupException(
            $"The repository in {_directory} is gone, or its disk is not there: its copy in {store.Place} stays as it is.", ExitCodes.Refused);
    }

    /// <summary>Compares what is known of the copy with what is there, and finds out what nothing is known of.</summary>
    private async Task CompareAsync(ObjectList list, CopyLedger ledger, CancellationToken cancellationToken)
    {
        var there = new Dictionary<string, StoredObject>(StringComparer.Ordinal);
        await foreach (var found in store.ListAsync(cancellationToken))
        {
            there[found.Path] = found;
        }

        // Before anything is changed there.
        await CopyIdentity.EnsureAsync(store, _directory, there.Keys.Any(RepositoryPath.IsInfo), cancellationToken);
        await NeedNothingNewerAsync(list, cancellationToken);
        await store.RemovePartsAsync(cancellationToken);
        var lost = ledger.Objects.Where(
            entry => !entry.Value.IsSuspect
                && (there.GetValueOrDefault(entry.Key) is not { } found || found.Length != entry.Value.Hash.Length || found.Tag != entry.Value.Tag))
            .Select(entry => entry.Key).ToList();
        foreach (var path in lost)
        {
            ledger.Forget(path);
        }

        if (lost.Count > 0)
        {
            LogLost(lost.Count, store.Place, lost[0]);
        }

        await Parallel.ForEachAsync(
            there.Values.Where(found => !ledger.Objects.ContainsKey(found.Path) && RepositoryPath.IsOfRepository(found.Path)).ToList(),
            new ParallelOptions { MaxDegreeOfParallelism = s_atOnce.MaxDegreeOfParallelism, CancellationToken = cancellationToken },
            async (found, token) => await RecogniseAsync(found, list, ledger, token));
    }

    /// <summary>Refuses a copy that is of this repository as it was later: an older state of it has no say in what the copy has.</summary>
    private async Task NeedNothingNewerAsync(ObjectList list, CancellationToken cancellationToken)
    {
        if (await CopyFetch.FindListAsync(store, _directory, options.Value.PassPhrase, cancellationToken) is not { List: { } its })
        {
            // Nothing is there yet, or somebody has changed it: it is sent again.
            return;
        }

        var known = KnownLabels(list);
        if (LabelsOf(its).Any(label => !known.Contains(label)))
        {
            throw new BackupException(
                $"The copy in {store.Place} is newer than the repository: './platform backup fetch', or another machine copies to it.", ExitCodes.Refused);
        }
    }

    private static IEnumerable<string> LabelsOf(ObjectList list) => list.Objects.Keys.Select(RepositoryPath.LabelOf).OfType<string>();

    /// <summary>The labels of all backups that have ever been made here: those that are removed have left a manifest.</summary>
    private static HashSet<string> KnownLabels(ObjectList list) =>
        LabelsOf(list).Concat(list.Objects.Keys.Where(RepositoryPath.IsHistory).Select(RepositoryPath.LabelInHistory)).ToHashSet(StringComparer.Ordinal);

    // What was sent and not written down, by an agent that was killed. What is another one here is sent again; what nobody has sent is left alone.
    private async Task RecogniseAsync(StoredObject found, ObjectList list, CopyLedger ledger, CancellationToken cancellationToken)
    {
        if (await store.RecordedHashAsync(found.Path, cancellationToken) is not { } recorded)
        {
            return;
        }

        var hash = new ObjectHash(found.Length, recorded);
        var file = RepositoryFile.Find(_directory, found.Path);
        if (file is null || await list.HashAsync(found.Path, cancellationToken) == hash)
        {
            ledger.Set(found.Path, new CopiedObject(hash, file?.Changed ?? 0, found.Tag));
        }
    }

    /// <summary>The lists of backups and of the archive; null when they are not those that the list of hashes knows, as while a backup is made.</summary>
    private async Task<List<Info>?> ReadInfosAsync(ObjectList list, CancellationToken cancellationToken)
    {
        var infos = new List<Info>();
        foreach (var path in RepositoryFiles.Infos)
        {
            if (RepositoryFile.Find(_directory, path) is not { } file)
            {
                if (list.Objects.ContainsKey(path))
                {
                    return null;
                }

                continue;
            }

            byte[] bytes;
            try
            {
                bytes = await File.ReadAllBytesAsync(Path.Combine(_directory, "repository", path), cancellationToken);
            }
            catch (FileNotFoundException)
            {
                return null;
            }

            var info = new Info(file, bytes, ObjectHash.Of(bytes));
            if (list.Objects.GetValueOrDefault(path) != info.Hash)
            {
                return null;
            }

            infos.Add(info);
        }

        return infos;
    }

    private async Task SendAsync(RepositoryFile file, ObjectList list, CopyLedger ledger, Sending sending, CancellationToken cancellationToken)
    {
        if (sending.IsCut || time.GetElapsedTime(sending.Started) > s_longestRound)
        {
            sending.IsCut = true;
            return;
        }

        FileStream stream;
        try
        {
            stream = new FileStream(
                Path.Combine(_directory, "repository", file.Path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, useAsync: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // It was removed since; the next round begins with what there is then.
            sending.IsCut = true;
            return;
        }

        await using (stream)
        {
            var hash = await ObjectHash.OfAsync(stream, copy: null, cancellationToken);
            // A segment of the log is never written again, so that one that has arrived is the good one, also while no list knows it yet.
            if ((list.Objects.TryGetValue(file.Path, out var known) && known != hash)
                || (RepositoryPath.IsSegment(file.Path) && ledger.Find(file.Path) is { IsSuspect: false } sent && sent.Hash != hash))
            {
                sending.Spoiled.Add(file.Path);
                return;
            }

            stream.Position = 0;
            ledger.Set(file.Path, new CopiedObject(hash, file.Changed, await store.PutAsync(file.Path, hash, stream, cancellationToken)));
            sending.Add(hash.Length);
        }
    }

    /// <summary>Sends the lists. All that they refer to has arrived.</summary>
    private async Task PublishAsync(List<Info> infos, ObjectList list, CopyLedger ledger, Sending sending, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetBytes(list.Text());
        var signed = ObjectHash.Of(text);
        if (ledger.Find(CopyNames.List)?.Hash != signed)
        {
            await NeedNothingNewerAsync(list, cancellationToken);
        }

        await PutAsync(CopyNames.List, text, signed, 0);
        foreach (var info in infos)
        {
            await PutAsync(info.File.Path, info.Bytes, info.Hash, info.File.Changed);
        }

        async Task PutAsync(string path, byte[] bytes, ObjectHash hash, long changed)
        {
            var copied = ledger.Objects.GetValueOrDefault(path);
            var tag = copied?.Tag;
            if (copied?.Hash != hash)
            {
                using var content = new MemoryStream(bytes);
                tag = await store.PutAsync(path, hash, content, cancellationToken);
                sending.Add(hash.Length);
            }

            if (copied is null || copied.Hash != hash || copied.Changed != changed)
            {
                ledger.Set(path, new CopiedObject(hash, changed, tag!));
            }
        }
    }

    /// <summary>Removes from the copy what the policy has removed here: nothing refers to it any more.</summary>
    private async Task<int> RemoveAsync(
        IReadOnlyList<RepositoryFile> files, ObjectList list, CopyLedger ledger, CancellationToken cancellationToken)
    {
        var here = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        var gone = ledger.Objects.Keys.Where(
            path => !here.Contains(path) && RepositoryPath.IsOfRepository(path) && !RepositoryPath.IsInfo(path) && !list.Objects.ContainsKey(path)
                && RepositoryFile.Find(_directory, path) is null)
            .ToList();
        if (gone.Count == 0)
        {
            return 0;
        }

        var labels = (await engine.BackupsAsync(cancellationToken)).Select(backup => backup.Label).Concat(LabelsOf(list)).ToHashSet(StringComparer.Ordinal);
        var known = KnownLabels(list);
        // What came after the newest that the list knows was not removed by the policy, nor was a backup that was never here; manifests are kept for ever.
        var newest = list.Objects.Keys.Where(RepositoryPath.IsLog).Select(RepositoryPath.PlaceInLog).Max(StringComparer.Ordinal);
        gone.RemoveAll(path => RepositoryPath.LabelOf(path) is { } label ? labels.Contains(label) || !known.Contains(label)
            : RepositoryPath.IsHistory(path) || (RepositoryPath.IsLog(path) && string.CompareOrdinal(RepositoryPath.PlaceInLog(path), newest) > 0));
        foreach (var part in gone.GroupBy(path => path.Contains("/backup.manifest", StringComparison.Ordinal) ? 0 : RepositoryPath.IsLog(path) ? 2 : 1)
            .OrderBy(part => part.Key))
        {
            await Parallel.ForEachAsync(
                part,
                new ParallelOptions { MaxDegreeOfParallelism = s_atOnce.MaxDegreeOfParallelism, CancellationToken = cancellationToken },
                async (path, token) =>
                {
                    await store.DeleteAsync(path, token);
                    ledger.Forget(path);
                });
        }

        return gone.Count;
    }

    // What is being removed right now the list still has.
    private async Task<bool> IsStillAsync(ObjectList list, CancellationToken cancellationToken) =>
        UnfinishedWork.Read(_directory) is null && await ReadListAsync(cancellationToken) is { } now && now.Text() == list.Text();

    [LoggerMessage(LogLevel.Warning, "{Count} objects of the copy in {Place} were removed or replaced there, and are sent again; the first is {Path}")]
    private partial void LogLost(int count, string place, string path);

    private sealed record Info(RepositoryFile File, byte[] Bytes, ObjectHash Hash);

    private sealed class Sending(long started)
    {
        private int _objects;
        private long _bytes;
        private volatile bool _isCut;

        public long Started { get; } = started;

        public int Objects => _objects;

        public long Bytes => _bytes;

        /// <summary>Whether something is left for the next round.</summary>
        public bool IsCut { get => _isCut; set => _isCut = value; }

        /// <summary>What is not as the list says.</summary>
        public ConcurrentBag<string> Spoiled { get; } = [];

        public void Add(long bytes)
        {
            Interlocked.Increment(ref _objects);
            Interlocked.Add(ref _bytes, bytes);
        }
    }
}

/// <summary>What a round has done.</summary>
/// <param name="Objects">How many objects were sent.</param>
/// <param name="Bytes">How much that was.</param>
/// <param name="Removed">How many were removed.</param>
/// <param name="IsWhole">Whether the copy is now what the repository was when the round began.</param>
/// <param name="IsCut">Whether the next round is to begin at once.</param>
internal sealed record CopyRound(int Objects, long Bytes, int Removed, bool IsWhole, bool IsCut)
{
    /// <summary>There is nothing to copy yet, and nobody has asked the store.</summary>
    public static CopyRound Nothing { get; } = new(0, 0, 0, IsWhole: false, IsCut: false);
}
