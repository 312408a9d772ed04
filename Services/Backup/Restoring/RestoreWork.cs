using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Work;

namespace Platform.Backup.Restoring;

/// <summary>Restores beside the running database, and says what the copy has.</summary>
internal sealed class RestoreWork(IBackupEngine engine, BackupWork work, IOptions<BackupOptions> options, TimeProvider time)
{
    /// <summary>Opens a copy. The repository is kept from changing until the copy has got all that it needs of it.</summary>
    /// <param name="target">What to restore.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="BackupException">It cannot be restored.</exception>
    public async Task<(RestoredCopy Copy, TimeSpan Took)> OpenAsync(RestoreTarget target, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        NeedPast(target, time);
        if (!engine.HasRepository)
        {
            throw new BackupException($"There are no backups in {options.Value.Directory}.", ExitCodes.Refused);
        }

        var copy = await work.UndisturbedAsync(
            async token =>
            {
                NeedSpace(await engine.BackupsAsync(token), target, options.Value.Directory);
                if (target.Label is null)
                {
                    // A database that is gone has nothing more to archive: then what is there has to do.
                    await engine.FlushAsync(token);
                }

                return await RestoredCopy.OpenAsync(engine, options.Value, target, options.Value.Directory, token);
            },
            cancellationToken);
        return (copy, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Refuses a moment that has not come yet.</summary>
    public static void NeedPast(RestoreTarget target, TimeProvider time)
    {
        if (target.Moment > time.GetUtcNow())
        {
            throw new BackupException($"{Text(target.Moment.Value)} has not come yet.", ExitCodes.Usage);
        }
    }

    /// <summary>How many documents each collection of a database has.</summary>
    public static async Task<SortedDictionary<string, long>> CountAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        using var names = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        foreach (var info in await names.ToListAsync(cancellationToken))
        {
            var name = info["name"].AsString;
            // A view has no documents of its own, and system collections are the server's.
            if (info["type"] != "view" && !name.StartsWith("system.", StringComparison.Ordinal))
            {
                counts[name] = await database.GetCollection<BsonDocument>(name)
                    .CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: cancellationToken);
            }
        }

        return counts;
    }

    /// <summary>Refuses what there is no backup of, or no space for.</summary>
    /// <param name="backups">All backups.</param>
    /// <param name="target">What is to be restored.</param>
    /// <param name="directory">Where.</param>
    /// <param name="isFetched">Whether the backup itself is brought there, too.</param>
    /// <returns>The backup that gives the size.</returns>
    public static BackupSet NeedSpace(IReadOnlyList<BackupSet> backups, RestoreTarget target, string directory, bool isFetched = false)
    {
        var backup = backups.LastOrDefault(backup => target.Label is null || backup.Label == target.Label);
        if (backup is null)
        {
            throw new BackupException(
                target.Label is null ? "There is no backup yet." : $"There is no backup {target.Label}; 'backup list' shows those that there are.",
                target.Label is null ? ExitCodes.Refused : ExitCodes.Usage);
        }

        var needed = backup.DatabaseBytes + (isFetched ? backup.RepositoryBytes : 0);
        var free = new DriveInfo(directory).AvailableFreeSpace;
        if (free < needed)
        {
            throw new BackupException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The disk of {directory} has {free >> 20} MiB free, but the copy needs more than {needed >> 20}."),
                ExitCodes.CannotCreate);
        }

        return backup;
    }

    private static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
