using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.PgBackRest;

/// <summary>DocumentDB on PostgreSQL: pgBackRest copies the primary, and every primary archives its log by itself.</summary>
/// <remarks><see href="https://pgbackrest.org/command.html"/></remarks>
internal sealed class PgBackRestEngine(PgBackRestTool tool, Servers servers, IOptions<BackupOptions> options, TimeProvider time) : IBackupEngine
{
    private const string Stanza = "platform";

    // pgBackRest's own: the repository belongs to another database.
    private const int FileMismatchError = 28;

    // More than a failover leaves behind; what is missing beyond it ends with a new backup.
    private const int MostSegmentsClosed = 256;
    private static readonly TimeSpan s_archivePatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_archivePause = TimeSpan.FromMilliseconds(50);

    // For transactions that were under way when a moment was taken to end, and how often a collection may go while it is read.
    private static readonly TimeSpan s_markerPatience = TimeSpan.FromSeconds(30);
    private const int MarkerAttempts = 5;

    private readonly BackupOptions _options = options.Value;

    /// <inheritdoc />
    public IReadOnlyList<string> Capabilities { get; } =
    [
        "full backups of the primary, whichever member that is",
        "continuous archiving, and recovery to every moment of it",
        "encryption before anything is written (AES-256)",
        "checksums of every page, file and segment",
        "restore beside the running database",
        "one tenant's restore, and one collection's",
        "drills: a restore, compared with what the database had",
    ];

    /// <inheritdoc />
    public bool HasRepository => File.Exists(InfoFile) || File.Exists(InfoFile + ".copy");

    private string Repository => Path.Combine(_options.Directory, "repository");

    /// <summary>Whose log the repository has: where the first member has its data.</summary>
    private string OwnerFile => Path.Combine(_options.Directory, "owner");

    private string Owner => _options.Members[0];

    private string InfoFile => Path.Combine(Repository, "backup", Stanza, "backup.info");

    private string Archive => Path.Combine(Repository, "archive", Stanza);

    /// <inheritdoc />
    public async Task<IReadOnlyList<BackupSet>> BackupsAsync(CancellationToken cancellationToken) =>
        !HasRepository ? []
        : PgBackRestInfo.Read(await tool.RunAsync(null, null, cancellationToken, "--output=json", "info"))
            ?? throw new BackupException($"The repository in {Repository} has files, but pgBackRest finds no backups' directory in it.");

    /// <inheritdoc />
    public async Task<ArchiveStanding> StandingAsync(CancellationToken cancellationToken)
    {
        if (await servers.PrimaryAsync(cancellationToken) is not { } primary)
        {
            return ArchiveStanding.NoPrimary;
        }

        return await servers.TryAskAsync(
            primary,
            """
            SELECT last_archived_time, CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN last_failed_wal END, last_failed_time,
              (SELECT count(*)::int FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready')
            FROM pg_stat_archiver
            """,
            row => new ArchiveStanding(primary, Time(row, 0), row.GetInt32(3), row.IsDBNull(1) ? null : row.GetString(1), Time(row, 2)),
            cancellationToken) ?? ArchiveStanding.NoPrimary;

        static DateTimeOffset? Time(Npgsql.NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
    }

    /// <inheritdoc />
    public RecoveryWindow WindowOf(IReadOnlyList<BackupSet> backups)
    {
        var proven = backups.Where(backup => backup is { IsProven: true, IsCurrent: true }).OrderByDescending(backup => backup.Start).ToList();
        if (proven is not [var newest, ..])
        {
            return new RecoveryWindow(null, null, null);
        }

        var archived = ArchivedIn(newest.Archive);
        var segments = archived.Keys.ToHashSet();
        if (ChainOf(newest, segments) is not { } chain)
        {
            return new RecoveryWindow(null, null, $"{newest.FirstSegment}, which the newest backup needs, is not in the archive");
        }

        var from = proven.TakeWhile(backup => backup == newest || ChainOf(backup, segments) is { } whole && whole.Last.Number >= chain.Last.Number)
            .Last();
        return new RecoveryWindow(
            from.Stop, archived[chain.Last], chain.Missing is { } missing ? $"{missing}, after the newest backup, is not in the archive" : null);
    }

    /// <inheritdoc />
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var primary = await RequirePrimaryAsync(cancellationToken);
        var created = await BesideAsync(primary, cancellationToken, "stanza-create");
        if (created.ExitCode == FileMismatchError)
        {
            // The data was lost or removed, and in its place a new database begins: it has a part of the archive of its own, and the old backups stay. Two
            // databases that both live would take the repository from each other.
            if (!File.Exists(OwnerFile) || await File.ReadAllTextAsync(OwnerFile, cancellationToken) != Owner)
            {
                throw new BackupException(
                    $"The repository in {_options.Directory} is of another database than the one in {Owner}: give each a directory of its own. If this one "
                    + $"takes the other's place for good, write its directory into {OwnerFile}.",
                    ExitCodes.Refused);
            }

            created = await BesideAsync(primary, cancellationToken, "stanza-upgrade");
        }

        if (created.ExitCode != 0)
        {
            throw created.Failure();
        }

        await AdoptAsync(cancellationToken);
    }

    /// <inheritdoc />
    public Task AdoptAsync(CancellationToken cancellationToken) => File.WriteAllTextAsync(OwnerFile, Owner, cancellationToken);

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> CloseGapsAsync(CancellationToken cancellationToken)
    {
        // A standby takes for archived what it receives. What the old primary had no time to archive only those have that followed it.
        var closed = new List<string>();
        var backups = await BackupsAsync(cancellationToken);
        if (backups.LastOrDefault(backup => backup is { IsProven: true, IsCurrent: true }) is not { } newest
            || await servers.PrimaryAsync(cancellationToken) is not { } primary)
        {
            return closed;
        }

        var log = Path.Combine(_options.Members[primary - 1], "cluster", "pg_wal");
        while (closed.Count < MostSegmentsClosed && ChainOf(newest, ArchivedIn(newest.Archive).Keys.ToHashSet())?.Missing is { } missing
            && !closed.Contains(missing.ToString())
            && File.Exists(Path.Combine(log, missing.ToString()))
            // Which waits to be archived, the server archives by itself.
            && !File.Exists(Path.Combine(log, "archive_status", $"{missing}.ready")))
        {
            var pushed = await BesideAsync(primary, cancellationToken, "archive-push", $"/mnt/cluster/pg_wal/{missing}");
            if (pushed.ExitCode != 0)
            {
                throw pushed.Failure();
            }

            closed.Add(missing.ToString());
        }

        return closed;
    }

    /// <inheritdoc />
    public async Task BackupAsync(CancellationToken cancellationToken)
    {
        var primary = await RequirePrimaryAsync(cancellationToken);
        await servers.SettleTimelineAsync(primary, cancellationToken);
        var made = await BesideAsync(primary, cancellationToken, "--type=full", "backup");
        if (made.ExitCode != 0)
        {
            throw made.Failure();
        }
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<Finding>> VerifyAsync(string? label, CancellationToken cancellationToken)
    {
        string[] which = label is null ? [] : [$"--set={label}"];
        var result = await tool.TryAsync(null, null, cancellationToken, [.. which, "--output=text", "--verbose", "verify"]);
        return result.IsBusy ? throw result.Failure()
            : result.ExitCode == 0 ? VerifyText.Read(result.Output)
            : [new Finding(label ?? "repository", $"pgBackRest's verify ended with exit code {result.ExitCode}: {result.Reason}")];
    }

    /// <inheritdoc />
    public Task MarkAsync(string label, bool isProven, CancellationToken cancellationToken) => tool.RunAsync(
        null, null, cancellationToken,
        $"--set={label}", $"--annotation={PgBackRestInfo.ProvenKey}={(isProven ? PgBackRestInfo.Proven : PgBackRestInfo.Disproved)}", "annotate");

    /// <inheritdoc />
    public Task RemoveAsync(string label, CancellationToken cancellationToken) => tool.RunAsync(null, null, cancellationToken, $"--set={label}", "expire");

    /// <inheritdoc />
    public Task RemoveLogAsync(int fullsWithLog, CancellationToken cancellationToken) => tool.RunAsync(
        null, null, cancellationToken, "--repo1-retention-archive-type=full",
        string.Create(CultureInfo.InvariantCulture, $"--repo1-retention-archive={fullsWithLog}"), "expire");

    /// <inheritdoc />
    public async Task<bool> FlushAsync(CancellationToken cancellationToken)
    {
        if (await servers.PrimaryAsync(cancellationToken) is not { } primary)
        {
            return false;
        }

        // Recovery to a moment ends at the first commit after it.
        await servers.AskAsync(primary, "SELECT pg_current_xact_id()::text", row => row.GetString(0), cancellationToken);
        var name = await servers.AskAsync(primary, "SELECT pg_walfile_name(pg_switch_wal())", row => row.GetString(0), cancellationToken);
        var segment = WalSegment.Parse(name!)!.Value;
        var patience = time.GetTimestamp();
        while (!IsArchived(segment))
        {
            if (time.GetElapsedTime(patience) > s_archivePatience)
            {
                throw new BackupException(
                    $"{segment} was not archived within {s_archivePatience.TotalSeconds:0} s; the servers' consoles say why.", ExitCodes.Unavailable);
            }

            await Task.Delay(s_archivePause, time, cancellationToken);
        }

        return true;
    }

    /// <inheritdoc />
    public async Task<DatabaseMarker> MarkerAsync(CancellationToken cancellationToken)
    {
        var primary = await RequirePrimaryAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TakeMarkerAsync(primary, cancellationToken);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable && attempt < MarkerAttempts)
            {
                // A collection was dropped between the snapshot and when its turn came.
            }
        }
    }

    /// <inheritdoc />
    public async Task<DatabaseContents> ContentsAsync(string server, CancellationToken cancellationToken)
    {
        await using var reader = await ContentsReader.OpenAsync(server, cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    private async Task<DatabaseMarker> TakeMarkerAsync(int primary, CancellationToken cancellationToken)
    {
        var server = servers.ConnectionStringOf(primary, s_archivePatience);
        await using var before = await ContentsReader.OpenAsync(server, cancellationToken);
        var (moment, next) = await servers.AskAsync(
            primary, "SELECT clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())::text::bigint", row =>
                (row.GetFieldValue<DateTimeOffset>(0), row.GetInt64(1)),
            cancellationToken);
        // A transaction may have committed by then and not be visible yet; those that were under way have to end before the second snapshot is taken.
        var patience = time.GetTimestamp();
        while (!await servers.AskAsync(
                primary,
                string.Create(CultureInfo.InvariantCulture, $"SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= {next}"),
                row => row.GetBoolean(0),
                cancellationToken)
            && time.GetElapsedTime(patience) < s_markerPatience)
        {
            await Task.Delay(s_archivePause, time, cancellationToken);
        }

        await using var after = await ContentsReader.OpenAsync(server, cancellationToken);
        return new DatabaseMarker(await before.ReadAsync(cancellationToken), moment, await after.ReadAsync(cancellationToken));
    }

    /// <inheritdoc />
    public async Task RestoreAsync(RestoreTarget target, string directory, CancellationToken cancellationToken)
    {
        var label = target.Label ?? await BaseOfAsync(target.Moment, cancellationToken);
        Directory.CreateDirectory(Path.Combine(directory, "cluster"));
        string[] kind = target switch
        {
            { Label: not null } => ["--type=immediate", "--target-action=promote"],
            { Moment: { } moment } =>
            [
                "--type=time", "--target-action=promote",
                string.Create(CultureInfo.InvariantCulture, $"--target={moment.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}+00"),
            ],
            _ => ["--type=default"],
        };
        await tool.RunAsync(
            directory, null, cancellationToken,
            [
                $"--set={label}", .. kind,
                // The copy must never write into the repository that it came from.
                "--archive-mode=off", $"--recovery-option=restore_command=pgbackrest --stanza={Stanza} archive-get %f \"%p\"", "restore",
            ]);
    }

    private async Task<string> BaseOfAsync(DateTimeOffset? moment, CancellationToken cancellationToken)
    {
        var proven = (await BackupsAsync(cancellationToken)).Where(backup => backup.IsProven).ToList();
        var label = proven.LastOrDefault(backup => moment is null || backup.Stop <= moment)?.Label;
        return label ?? throw new BackupException(
            proven is [var oldest, ..]
                ? $"The first moment that can be restored is {Moments.Text(oldest.Stop)}."
                : "There is no proven backup yet.",
            ExitCodes.Refused);
    }

    private async Task<int> RequirePrimaryAsync(CancellationToken cancellationToken) => await servers.PrimaryAsync(cancellationToken)
        ?? throw new BackupException("No member of the replica set answers as primary, so there is nothing to copy.", ExitCodes.Unavailable);

    private Task<ToolResult> BesideAsync(int member, CancellationToken cancellationToken, params string[] arguments) => tool.TryAsync(
        _options.Members[member - 1], _options.SocketDirectory, cancellationToken,
        [string.Create(CultureInfo.InvariantCulture, $"--pg1-port={Servers.PortOf(member)}"), .. arguments]);

    private static ArchiveChain? ChainOf(BackupSet backup, HashSet<WalSegment> archived) =>
        WalSegment.Parse(backup.FirstSegment) is { } first ? ArchiveChain.From(first, archived) : null;

    private bool IsArchived(WalSegment segment) => Directory.Exists(Archive)
        && Directory.EnumerateDirectories(Archive).Any(part => Directory.Exists(Path.Combine(part, segment.ToString()[..16]))
            && Directory.EnumerateFiles(Path.Combine(part, segment.ToString()[..16]), $"{segment}-*")
                .Any(file => WalSegment.Parse(Path.GetFileName(file)) == segment));

    /// <summary>The segments in a part of the archive, and when each came.</summary>
    private Dictionary<WalSegment, DateTimeOffset> ArchivedIn(string part)
    {
        var directory = new DirectoryInfo(Path.Combine(Archive, part));
        var archived = new Dictionary<WalSegment, DateTimeOffset>();
        if (part.Length > 0 && directory.Exists)
        {
            foreach (var file in directory.EnumerateFiles("*", SearchOption.AllDirectories))
            {
                if (WalSegment.Parse(file.Name) is { } segment)
                {
                    archived[segment] = new DateTimeOffset(file.LastWriteTimeUtc);
                }
            }
        }

        return archived;
    }
}
