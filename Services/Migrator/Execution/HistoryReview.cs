using System.Globalization;
using Platform.Jobs;
using Platform.Migrator.History;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Execution;

/// <summary>A database's history as it was read, compared with the migrations of this program. Changes nothing.</summary>
/// <param name="migrations">The migrations that this program knows, in order.</param>
/// <param name="records">All records.</param>
internal sealed class HistoryReview(IReadOnlyList<MigrationDescriptor> migrations, IReadOnlyList<MigrationRecord> records)
{
    private readonly Dictionary<string, MigrationDescriptor> _known = migrations.ToDictionary(migration => migration.FullName, StringComparer.Ordinal);

    // The catalogue's own record has no number.
    private readonly Dictionary<string, MigrationRecord> _records =
        records.Where(record => record.Number > 0).ToDictionary(record => record.Id, StringComparer.Ordinal);

    /// <summary>The records of migrations.</summary>
    public IReadOnlyCollection<MigrationRecord> Records => _records.Values;

    /// <summary>The migration of an id; null when this program does not know it.</summary>
    public MigrationDescriptor? Known(string id) => _known.GetValueOrDefault(id);

    /// <summary>The record of a migration; null for none.</summary>
    public MigrationRecord? RecordOf(MigrationDescriptor migration) => _records.GetValueOrDefault(migration.FullName);

    /// <summary>Where a migration's change stands.</summary>
    public MigrationStanding StandingOf(MigrationDescriptor migration) => RecordOf(migration)?.Standing ?? MigrationStanding.Pending;

    /// <summary>The migrations that are not applied, in order.</summary>
    /// <exception cref="JobRefusedException">One is missing before one that is applied.</exception>
    public IEnumerable<MigrationDescriptor> Pending() => Problems().FirstOrDefault(problem => problem.Kind == MigrationProblemKind.Gap) is { } gap
        ? throw new JobRefusedException(gap.Sentence)
        : migrations.Where(migration => StandingOf(migration) != MigrationStanding.Applied);

    /// <summary>
    /// Refuses a run that the history does not allow. Half-done migrations that may be run this way and the order in which old ones were
    /// applied do not stand in the way of one.
    /// </summary>
    /// <exception cref="JobRefusedException">It does not.</exception>
    public void Require(MigrationDirection direction)
    {
        var stops = Problems().FirstOrDefault(problem => problem.Kind switch
        {
            MigrationProblemKind.OutOfOrder or MigrationProblemKind.Gap => false,
            MigrationProblemKind.HalfDone => !MayRun(_known[problem.Id], _records[problem.Id]),
            _ => true,
        });
        if (stops is not null)
        {
            throw new JobRefusedException(stops.Sentence);
        }

        bool MayRun(MigrationDescriptor migration, MigrationRecord halfDone) =>
            migration.Migration.CanBeRepeated || (halfDone.MayGoOn && halfDone.Direction == direction);
    }

    /// <summary>Refuses a baseline in a database that has a history, unless it is the same baseline, interrupted.</summary>
    /// <param name="to">The number of the baseline's last migration.</param>
    /// <exception cref="JobRefusedException">It has.</exception>
    public void RequireBaseline(int to)
    {
        if (Records.FirstOrDefault(record => record.State != MigrationState.Pending && !record.IsBaseline) is { } present)
        {
            throw new JobRefusedException($"The database has a history already (migration {present.Id}), so it needs no baseline.");
        }

        if (Records.FirstOrDefault(record => record.IsBaseline && record.Number > to) is { } later)
        {
            throw new JobRefusedException(
                $"The database has a baseline up to migration {later.Id} already; 'migrator baseline --to {Text(later.Number)}' records it whole.");
        }
    }

    /// <summary>How every migration stands that the program knows or the database recorded, by number.</summary>
    /// <param name="lease">The lease as it was when the records were read.</param>
    public IReadOnlyList<MigrationStatus> Status(LeaseState? lease) =>
    [
        .. _known.Keys.Union(_records.Keys).Order(StringComparer.Ordinal)
            .Select(id => StatusOf(id, Known(id), _records.GetValueOrDefault(id), lease)),
    ];

    /// <summary>In what ways the history does not fit the program. What is merely pending is no problem.</summary>
    public IEnumerable<MigrationProblem> Problems() => [.. Misfits(), .. Gaps(), .. Disorder()];

    private static MigrationStatus StatusOf(string id, MigrationDescriptor? migration, MigrationRecord? record, LeaseState? lease) => new(
        id,
        migration?.Id ?? record!.Number,
        record?.State ?? MigrationState.Pending,
        record?.Standing ?? MigrationStanding.Pending,
        record is { State: MigrationState.Running } && lease is { IsHeld: true } && lease.Fence == record.Fence,
        record is { IsBaseline: true },
        migration is not null,
        record is not null && migration is not null && record.Standing != MigrationStanding.Pending && !migration.Was(record.Checksum),
        record?.AppliedAt,
        record?.DurationMs,
        record?.Host,
        record?.ApplicationVersion,
        record?.Error,
        record?.Direction,
        record?.Steps ?? [],
        record?.Step,
        record?.Checkpoint is { } checkpoint
            ? string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Documents} of {checkpoint.Total} documents")
            : null,
        record?.Runs);

    private IEnumerable<MigrationProblem> Misfits()
    {
        var newest = migrations.Count == 0 ? 0 : migrations[^1].Id;
        foreach (var record in Records.Where(record => record.Standing != MigrationStanding.Pending).OrderBy(record => record.Number))
        {
            if (Known(record.Id) is not { } migration)
            {
                var unknown = $"The database has the migration {record.Id}, which this program does not know";
                yield return record.Number > newest
                    ? new(MigrationProblemKind.Newer, record.Id, $"{unknown}; use the program of version {record.ApplicationVersion} or later.")
                    : new(
                        MigrationProblemKind.Unknown,
                        record.Id,
                        $"{unknown}, although it knows later ones; use the program of version {record.ApplicationVersion}, or restore the migration's source.");
            }
            else if (record.Standing == MigrationStanding.HalfDone)
            {
                yield return new(MigrationProblemKind.HalfDone, record.Id, HalfDone(record, migration));
            }
            else if (!migration.Was(record.Checksum))
            {
                yield return new(
                    MigrationProblemKind.Changed,
                    record.Id,
                    $"Migration {record.Id} was changed after it was applied; restore its source and put the change into a new migration.");
            }
        }
    }

    private IEnumerable<MigrationProblem> Gaps()
    {
        if (migrations.LastOrDefault(migration => StandingOf(migration) == MigrationStanding.Applied) is not { } last)
        {
            yield break;
        }

        var ofBaseline = RecordOf(last)!.IsBaseline;
        foreach (var migration in migrations.TakeWhile(migration => migration != last).Where(migration => StandingOf(migration) != MigrationStanding.Applied))
        {
            yield return ofBaseline
                ? new(
                    MigrationProblemKind.InterruptedBaseline,
                    migration.FullName,
                    $"Migration {migration.FullName} is not recorded although {last.FullName} after it is, by a baseline that was interrupted; run "
                        + $"'migrator baseline --to {Text(last.Id)}' again.")
                : new(
                    MigrationProblemKind.Gap,
                    migration.FullName,
                    $"Migration {migration.FullName} is not applied although {last.FullName} after it is; take the later ones back, or give it a later "
                        + $"number if no database has it.");
        }
    }

    // By the lease's numbers and not by time: the clocks of two machines do not agree.
    private IEnumerable<MigrationProblem> Disorder()
    {
        var latest = 0L;
        foreach (var record in migrations.Where(migration => StandingOf(migration) == MigrationStanding.Applied).Select(migration => RecordOf(migration)!))
        {
            if (record.AppliedFence < latest)
            {
                yield return new(
                    MigrationProblemKind.OutOfOrder,
                    record.Id,
                    $"Migration {record.Id} was applied before one with a smaller number; look whether it needed what that one does.");
            }

            latest = Math.Max(latest, record.AppliedFence);
        }
    }

    private static string HalfDone(MigrationRecord record, MigrationDescriptor migration)
    {
        var way = record.Direction == MigrationDirection.Up ? "" : " on its way back";
        var what = $"Migration {record.Id} is half-done{way} ({(record.State == MigrationState.Failed ? "it failed" : "it was interrupted")}"
            + $"{(record.Step is null ? "" : $" in the step '{record.Step}'")} on {record.Host}); ";
        var resolve = $"'migrator resolve {Text(record.Number)}";
        return what + (migration.Migration.CanBeRepeated ? "unless somebody is at work on it now, run 'migrator up' or 'migrator down' to finish it."
            : record.MayGoOn ? $"it may go on: run 'migrator {(record.Direction == MigrationDirection.Up ? "up" : "down")}' to finish it."
            : $"look at the data, then run {resolve} --applied', {resolve} --pending' or {resolve} --resume'.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
