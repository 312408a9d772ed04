using System.Text;
using Platform.Backup.Engines;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>
/// Brings a repository, or what one restore needs of it, back from its copy. Each object is compared with the copy's signed list of hashes, or, when it is
/// newer, with what was recorded when it was sent, before it has its name here.
/// </summary>
internal sealed class CopyFetch(ICopyStore store)
{
    private const int AtOnce = 4;

    // More than any list of hashes or of backups.
    private const long MostOfList = 256L << 20;

    /// <summary>Brings the lists: of hashes, of backups and of the archive.</summary>
    /// <param name="directory">A directory of backups.</param>
    /// <param name="passPhrase">The pass phrase.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">There is no copy, or it is not of this pass phrase.</exception>
    public async Task<ObjectList> FetchListsAsync(string directory, string passPhrase, CancellationToken cancellationToken)
    {
        var list = await ReadListAsync(store, directory, passPhrase, cancellationToken);
        OwnerOnly.MakeDirectory(directory);
        foreach (var path in RepositoryFiles.Infos.Where(list.Objects.ContainsKey))
        {
            // A list of backups may be newer than the list of hashes, by a moment.
            await FetchAsync(path, null, directory, cancellationToken);
        }

        return list;
    }

    /// <summary>Brings objects.</summary>
    /// <param name="list">The list of hashes.</param>
    /// <param name="directory">A directory of backups.</param>
    /// <param name="isWanted">Which of them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How many objects and bytes that was.</returns>
    /// <exception cref="BackupException">One is missing, or not as it was.</exception>
    public async Task<(int Objects, long Bytes)> FetchAsync(
        ObjectList list, string directory, Func<string, bool> isWanted, CancellationToken cancellationToken)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var found in store.ListAsync(cancellationToken))
        {
            if (RepositoryPath.IsOfRepository(found.Path) && !RepositoryPath.IsInfo(found.Path) && isWanted(found.Path)
                // What is newer than the list is of the log; else it is of a backup that is not proven, or somebody else's.
                && (list.Objects.ContainsKey(found.Path) || RepositoryPath.IsLog(found.Path)))
            {
                paths.Add(found.Path);
            }
        }

        var missing = list.Objects.Keys.FirstOrDefault(path => !RepositoryPath.IsInfo(path) && isWanted(path) && !paths.Contains(path));
        if (missing is not null)
        {
            throw new BackupException($"{missing} is missing in {store.Place}.", ExitCodes.Refused);
        }

        long bytes = 0;
        await Parallel.ForEachAsync(
            paths,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (path, token) => Interlocked.Add(ref bytes, await FetchAsync(path, list.Objects.GetValueOrDefault(path), directory, token)));
        return (paths.Count, bytes);
    }

    /// <summary>The signed list of a copy.</summary>
    /// <param name="store">The copy.</param>
    /// <param name="directory">The directory of backups that it is to be of.</param>
    /// <param name="passPhrase">The pass phrase.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">There is none, or it is not of this pass phrase.</exception>
    public static async Task<ObjectList> ReadListAsync(ICopyStore store, string directory, string passPhrase, CancellationToken cancellationToken)
    {
        var found = await FindListAsync(store, directory, passPhrase, cancellationToken)
            ?? throw new BackupException($"There is no copy of a repository in {store.Place}.", ExitCodes.Refused);
        return found.List ?? throw new BackupException(
            $"The list of hashes in {store.Place} was changed, or Backup:PassPhrase is not the one of the repository that it is the copy of.",
            ExitCodes.Refused);
    }

    /// <summary>The same when there may be none: null then, and without a list when it was changed, or is not of this pass phrase.</summary>
    /// <inheritdoc cref="ReadListAsync"/>
    public static async Task<FoundList?> FindListAsync(ICopyStore store, string directory, string passPhrase, CancellationToken cancellationToken)
    {
        using var found = await store.OpenAsync(CopyNames.List, cancellationToken);
        if (found is null)
        {
            return null;
        }

        using var text = new MemoryStream();
        try
        {
            await CopyVerifier.ReadAsync(CopyNames.List, found, new Bounded(text, MostOfList), store, cancellationToken);
        }
        catch (BackupException e) when (e.ExitCode == ExitCodes.Refused)
        {
            // It is larger than any.
            return new FoundList(null);
        }

        return new FoundList(ObjectList.Find(directory, passPhrase, Encoding.UTF8.GetString(text.ToArray())));
    }

    private async Task<long> FetchAsync(string path, ObjectHash? known, string directory, CancellationToken cancellationToken)
    {
        using var found = await store.OpenAsync(path, cancellationToken)
            ?? throw new BackupException($"{path} is missing in {store.Place}.", ExitCodes.Refused);
        var file = Path.Combine(directory, "repository", path);
        OwnerOnly.MakeDirectory(Path.GetDirectoryName(file)!);
        var draft = file + ".fetched";
        ObjectHash hash;
        await using (var stream = OwnerOnly.Open(draft, FileMode.Create))
        {
            hash = await CopyVerifier.ReadAsync(path, found, stream, store, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }

        if (known is not null ? hash != known : hash.Hash != found.Hash)
        {
            File.Delete(draft);
            throw new BackupException($"{path} in {store.Place} is not as it was sent: 'backup verify --s3' compares all of it.", ExitCodes.Refused);
        }

        File.Move(draft, file, overwrite: true);
        return hash.Length;
    }

    /// <summary>Keeps memory from being filled by what somebody has put in the place of a list.</summary>
    private sealed class Bounded(Stream inner, long most) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (inner.Length + count > most)
            {
                throw new BackupException("The list of hashes in the copy is larger than any.", ExitCodes.Refused);
            }

            inner.Write(buffer, offset, count);
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

/// <summary>What is in the place of the signed list of a copy.</summary>
/// <param name="List">The list; null when it was changed, or is not of the pass phrase.</param>
internal sealed record FoundList(ObjectList? List);
