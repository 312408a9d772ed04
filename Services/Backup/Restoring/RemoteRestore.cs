using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Backup.Restoring;

/// <summary>Makes an engine that works on another directory of backups.</summary>
/// <param name="options">The settings, with that directory.</param>
internal delegate IBackupEngine EngineOf(BackupOptions options);

/// <summary>Restores from the copy of the repository alone, when the repository is gone, and brings the repository back.</summary>
internal sealed class RemoteRestore(
    CopyFetch fetch, ICopyStore store, IBackupEngine engine, EngineOf engineOf, IOptions<BackupOptions> options, TimeProvider time)
{
    // Of the name of an object of the log: its timeline, and with it all of the segment's name.
    private const int TimelineDigits = 8, SegmentDigits = 24;

    private static int s_count;

    /// <summary>Brings what a restore needs, and opens a copy of the database from that; what was brought goes at once.</summary>
    /// <param name="target">What to restore.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="BackupException">It cannot be restored.</exception>
    public async Task<(RestoredCopy Copy, TimeSpan Took)> OpenAsync(RestoreTarget target, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var settings = options.Value;
        RestoreWork.NeedPast(target, time);
        OwnerOnly.MakeDirectory(settings.Directory);
        var name = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-fetched-{Interlocked.Increment(ref s_count)}");
        var fetched = Path.Combine(RestoredCopy.ScratchOf(settings.Directory), name);
        OwnerOnly.MakeDirectory(fetched);
        try
        {
            var list = await fetch.FetchListsAsync(fetched, settings.PassPhrase, cancellationToken);
            var remote = engineOf(settings.In(fetched));
            var backups = await remote.BackupsAsync(cancellationToken);
            RestoreWork.NeedSpace(backups, target, settings.Directory, isFetched: true);
            var backup = BaseOf(backups, target);
            await fetch.FetchAsync(list, fetched, path => IsNeeded(path, backup, isAlone: target.Label is not null), cancellationToken);
            return (await RestoredCopy.OpenAsync(remote, settings, target, fetched, cancellationToken), Stopwatch.GetElapsedTime(started));
        }
        finally
        {
            Directory.Delete(fetched, recursive: true);
        }
    }

    /// <summary>Brings the whole repository back into the directory of the backups, where there is none; begun anew, it goes on.</summary>
    /// <returns>How many objects and bytes that was.</returns>
    /// <exception cref="BackupException">There is a repository, or the copy is not whole.</exception>
    public async Task<(int Objects, long Bytes)> ReturnAsync(CancellationToken cancellationToken)
    {
        var directory = options.Value.Directory;
        using var taken = RepositoryLock.Take(directory);
        if (engine.HasRepository)
        {
            throw new BackupException($"There is a repository in {directory}: it is not overwritten. Move it away first.", ExitCodes.Refused);
        }

        var list = await CopyFetch.ReadListAsync(store, directory, options.Value.PassPhrase, cancellationToken);
        var identity = await CopyIdentity.ReadAsync(store, cancellationToken);
        var brought = await fetch.FetchAsync(list, directory, _ => true, cancellationToken);
        list.Write();
        // Not before all has arrived: a new repository, begun where this one did not come back, would take the place of its copy.
        if (identity is not null)
        {
            OwnerOnly.Write(CopyIdentity.FileOf(directory), identity + "\n");
        }

        await engine.AdoptAsync(cancellationToken);
        await fetch.FetchListsAsync(directory, options.Value.PassPhrase, cancellationToken);
        return brought;
    }

    private BackupSet BaseOf(IReadOnlyList<BackupSet> backups, RestoreTarget target)
    {
        var found = backups.LastOrDefault(
            backup => target.Label is { } label ? backup.Label == label : backup.IsProven && (target.Moment is null || backup.Stop <= target.Moment));
        return found ?? throw new BackupException(
            backups.FirstOrDefault(backup => backup.IsProven) is { } oldest
                ? $"The first moment that can be restored from {store.Place} is {Moments.Text(oldest.Stop)}."
                : $"There is no proven backup in {store.Place}.",
            ExitCodes.Refused);
    }

    // Of the log what comes after the beginning of the backup, on whatever timeline; of a backup alone, until it is consistent.
    private static bool IsNeeded(string path, BackupSet backup, bool isAlone)
    {
        if (!RepositoryPath.IsLog(path))
        {
            return RepositoryPath.LabelOf(path) == backup.Label;
        }

        var name = Path.GetFileName(path);
        return path.Contains($"/{backup.Archive}/", StringComparison.Ordinal)
            && (name.Length < SegmentDigits || (IsFrom(name, backup.FirstSegment) && (!isAlone || IsFrom(backup.LastSegment, name))));

        static bool IsFrom(string name, string first) => string.CompareOrdinal(
            name, TimelineDigits, first, TimelineDigits, SegmentDigits - TimelineDigits) >= 0;
    }
}
