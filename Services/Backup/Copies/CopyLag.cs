using Microsoft.Extensions.Options;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>What waits to be copied.</summary>
/// <param name="Objects">How many objects.</param>
/// <param name="Bytes">How much that is.</param>
/// <param name="Oldest">When the oldest of them was written; null when none waits.</param>
internal sealed record CopyLag(int Objects, long Bytes, DateTimeOffset? Oldest)
{
    /// <summary>Nothing waits.</summary>
    public static CopyLag None { get; } = new(0, 0, null);

    /// <summary>Compares what there is with what has arrived.</summary>
    /// <param name="list">The list of hashes; one that is new when it cannot be read.</param>
    /// <param name="ledger">What has arrived.</param>
    /// <param name="directory">The directory of the backups.</param>
    public static CopyLag Of(ObjectList list, CopyLedger ledger, string directory)
    {
        var waiting = RepositoryFiles.Read(list, directory).Where(file => !IsCopied(file, list, ledger))
            .Concat(RepositoryFiles.Infos.Select(path => RepositoryFile.Find(directory, path)).OfType<RepositoryFile>().Where(
                info => ledger.Objects.GetValueOrDefault(info.Path)?.Changed != info.Changed))
            .ToList();
        return waiting.Count == 0 ? None : new CopyLag(waiting.Count, waiting.Sum(file => file.Length), waiting.Min(file => file.ChangedAt));
    }

    /// <summary>Whether an object is in the copy as it is here.</summary>
    public static bool IsCopied(RepositoryFile file, ObjectList list, CopyLedger ledger) => ledger.Objects.GetValueOrDefault(file.Path) is { } copied
        && (list.Objects.TryGetValue(file.Path, out var known) ? copied.Hash == known : copied.Hash.Length == file.Length && copied.Changed == file.Changed);
}

/// <summary>Looks how the copy stands. Asks no store, and changes nothing.</summary>
internal sealed class CopyLook(IOptions<BackupOptions> options, TimeProvider time)
{
    /// <summary>The labels of the backups of which the copy has everything; null when there is to be no copy.</summary>
    public async Task<IReadOnlySet<string>?> BackupsAsync(CancellationToken cancellationToken)
    {
        var directory = options.Value.Directory;
        if (!options.Value.S3.IsOn)
        {
            return null;
        }

        var list = await ReadListAsync(cancellationToken);
        var ledger = CopyLedger.Read(directory);
        return RepositoryFiles.Read(list, directory).GroupBy(file => RepositoryPath.LabelOf(file.Path) ?? "", StringComparer.Ordinal)
            .Where(backup => backup.All(file => CopyLag.IsCopied(file, list, ledger))).Select(backup => backup.Key).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Looks; null when there is to be no copy.</summary>
    public async Task<CopyStatus?> LookAsync(CancellationToken cancellationToken)
    {
        var (directory, copy) = (options.Value.Directory, options.Value.S3);
        if (!copy.IsOn)
        {
            return null;
        }

        var lag = CopyLag.None;
        if (File.Exists(ObjectList.FileOf(directory)))
        {
            lag = CopyLag.Of(await ReadListAsync(cancellationToken), CopyLedger.Read(directory), directory);
        }

        var record = CopyRecord.Read(directory);
        return new CopyStatus(
            copy.Place, record.LastSuccess, lag.Objects, lag.Bytes,
            lag.Oldest is { } oldest ? Math.Max(0, Math.Round((time.GetUtcNow() - oldest).TotalSeconds, 1)) : 0, record.Error, record.ErrorAt,
            CopyVerification.Read(directory));
    }

    private async Task<ObjectList> ReadListAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ObjectList.ReadAsync(options.Value.Directory, options.Value.PassPhrase, cancellationToken);
        }
        catch (BackupException)
        {
            // Who copies says so, as an error; the age and size of objects are known all the same.
            return ObjectList.New(options.Value.Directory, options.Value.PassPhrase);
        }
    }
}
