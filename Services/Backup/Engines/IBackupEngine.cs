using Platform.Backup.Policy;

namespace Platform.Backup.Engines;

/// <summary>What copies a database, keeps the copies and restores them.</summary>
/// <remarks>Whatever goes wrong for a reason that a person is told is a <see cref="BackupException"/>.</remarks>
internal interface IBackupEngine
{
    /// <summary>What it can do, in a few words each, for <c>backup policy</c>.</summary>
    IReadOnlyList<string> Capabilities { get; }

    /// <summary>Whether there is a repository.</summary>
    bool HasRepository { get; }

    /// <summary>All backups, oldest first.</summary>
    Task<IReadOnlyList<BackupSet>> BackupsAsync(CancellationToken cancellationToken);

    /// <summary>How the archive stands; asks the servers, none of which has to answer.</summary>
    Task<ArchiveStanding> StandingAsync(CancellationToken cancellationToken);

    /// <summary>Which moments the repository can restore.</summary>
    /// <param name="backups">All backups.</param>
    RecoveryWindow WindowOf(IReadOnlyList<BackupSet> backups);

    /// <summary>Makes the repository ready for the database that runs: new, or for a database that was made anew. Does nothing when it is.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Notes that a repository, which came from elsewhere, is of the database that runs here from now on.</summary>
    Task AdoptAsync(CancellationToken cancellationToken);

    /// <summary>Archives what the members still have of the log and the repository lacks, as after a failover. Returns the segments.</summary>
    Task<IReadOnlyList<string>> CloseGapsAsync(CancellationToken cancellationToken);

    /// <summary>Makes a full backup.</summary>
    Task BackupAsync(CancellationToken cancellationToken);

    /// <summary>Reads everything that belongs to a backup, or all of the repository, and compares it with the checksums of when it was made.</summary>
    /// <param name="label">The backup; null for everything.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<IReadOnlyList<Finding>> VerifyAsync(string? label, CancellationToken cancellationToken);

    /// <summary>Writes down in the repository whether a backup is proven.</summary>
    Task MarkAsync(string label, bool isProven, CancellationToken cancellationToken);

    /// <summary>Removes a backup.</summary>
    Task RemoveAsync(string label, CancellationToken cancellationToken);

    /// <summary>Removes of the log what no backup needs and what is older than so many of the newest.</summary>
    Task RemoveLogAsync(int fullsWithLog, CancellationToken cancellationToken);

    /// <summary>
    /// Sees to it that everything that is committed now is in the repository, and that recovery to this moment finds its end. Returns whether a
    /// primary was there to do it.
    /// </summary>
    Task<bool> FlushAsync(CancellationToken cancellationToken);

    /// <summary>Restores into an empty directory. Nothing runs there yet.</summary>
    Task RestoreAsync(RestoreTarget target, string directory, CancellationToken cancellationToken);

    /// <summary>Takes down what the running database has, and the moment. Makes nobody wait who writes.</summary>
    Task<DatabaseMarker> MarkerAsync(CancellationToken cancellationToken);

    /// <summary>The same of a copy.</summary>
    /// <param name="server">How its server is reached.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<DatabaseContents> ContentsAsync(string server, CancellationToken cancellationToken);
}
