using MongoDB.Bson.Serialization.Attributes;

namespace Platform.Migrator.History;

/// <summary>What was done for one migration in a database.</summary>
public sealed record MigrationRecord
{
    /// <summary>The id of the record of the last time the collections were brought in line with the catalogue.</summary>
    public const string CatalogueId = "catalogue";

    /// <summary>How many attempts <see cref="Runs"/> keeps.</summary>
    public const int KeptRuns = 20;

    /// <summary>Number and name, such as <c>0001_create_collections</c>, or <see cref="CatalogueId"/>.</summary>
    [BsonId]
    public required string Id { get; init; }

    /// <summary>The number; 0 for the catalogue.</summary>
    public required int Number { get; init; }

    /// <summary>The checksum of what was run.</summary>
    public required string Checksum { get; init; }

    /// <summary>How it stands.</summary>
    public required MigrationState State { get; init; }

    /// <summary>Which way the latest attempt went.</summary>
    public MigrationDirection Direction { get; init; }

    /// <summary>
    /// Whether the latest attempt is all or nothing: it runs in a transaction, and did not find the migration half-done. Until it is
    /// done the database is as it was before.
    /// </summary>
    public bool IsAtomic { get; init; }

    /// <summary>
    /// Whether a person said that the half-done migration may go on the way that it was going. It holds for one attempt, which may do
    /// harm again.
    /// </summary>
    public bool MayGoOn { get; init; }

    /// <summary>Whether programs that do not know the migration cannot work with the database any more.</summary>
    public bool IsBreaking { get; init; }

    /// <summary>When the latest attempt began (UTC).</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>When it was done (UTC); null until then.</summary>
    public DateTime? AppliedAt { get; init; }

    /// <summary>How long the latest attempt took, in milliseconds; null while it runs.</summary>
    public double? DurationMs { get; init; }

    /// <summary>How often it was tried.</summary>
    public required int Attempts { get; init; }

    /// <summary>The machine that tried last.</summary>
    public required string Host { get; init; }

    /// <summary>The version of the program that tried last.</summary>
    public required string ApplicationVersion { get; init; }

    /// <summary>The fencing number of the lease that the latest attempt held. A holder with a smaller one cannot change the record.</summary>
    public required long Fence { get; init; }

    /// <summary>Why the latest attempt failed; null when it did not.</summary>
    public string? Error { get; init; }

    /// <summary>The step under way, or the one that failed; null for none.</summary>
    public string? Step { get; init; }

    /// <summary>The steps that are done of a migration that is half-done; they are not run again as long as it goes the same way.</summary>
    public IReadOnlyList<string> Steps { get; init; } = [];

    /// <summary>How far the step under way has come; null when it does not work in batches.</summary>
    public MigrationCheckpoint? Checkpoint { get; init; }

    /// <summary>The attempts that came to an end, latest last; at most <see cref="KeptRuns"/>.</summary>
    public IReadOnlyList<MigrationRun> Runs { get; init; } = [];

    /// <summary>Where the change stands.</summary>
    [BsonIgnore]
    public MigrationStanding Standing => State switch
    {
        MigrationState.Applied => MigrationStanding.Applied,
        MigrationState.Pending => MigrationStanding.Pending,
        _ when !IsAtomic => MigrationStanding.HalfDone,
        _ => Direction == MigrationDirection.Up ? MigrationStanding.Pending : MigrationStanding.Applied,
    };

    /// <summary>The fencing number under which what is applied was applied; later ones may only have looked at it.</summary>
    [BsonIgnore]
    public long AppliedFence =>
        Runs.LastOrDefault(run => run.Outcome is MigrationRunOutcome.Done or MigrationRunOutcome.Baseline or MigrationRunOutcome.Resolved)?.Fence ?? Fence;

    /// <summary>Whether it is applied because the database had the change before it had a history.</summary>
    [BsonIgnore]
    public bool IsBaseline => State == MigrationState.Applied
        && Runs.LastOrDefault(run => run.Outcome != MigrationRunOutcome.Refused)?.Outcome == MigrationRunOutcome.Baseline;

    /// <summary>The attempt that the record is of, come to an end.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="durationMs">How long it took, in milliseconds.</param>
    public MigrationRun Ended(MigrationRunOutcome outcome, double durationMs) => new()
    {
        Direction = Direction,
        Outcome = outcome,
        StartedAt = StartedAt,
        DurationMs = durationMs,
        Host = Host,
        ApplicationVersion = ApplicationVersion,
        Fence = Fence,
    };

    /// <summary>The record with one more attempt that came to an end.</summary>
    /// <param name="run">The attempt.</param>
    public MigrationRecord With(MigrationRun run) => this with { Runs = [.. Runs.Append(run).TakeLast(KeptRuns)] };
}
