using MongoDB.Bson.Serialization.Attributes;

namespace Platform.Migrator.Engine;

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

    /// <summary>The steps that are done of a migration that is not; they are not run again when it is resumed.</summary>
    public IReadOnlyList<string> Steps { get; init; } = [];

    /// <summary>How far the step under way has come; null when it does not work in batches.</summary>
    public MigrationCheckpoint? Checkpoint { get; init; }

    /// <summary>The attempts that came to an end, latest last; at most <see cref="KeptRuns"/>.</summary>
    public IReadOnlyList<MigrationRun> Runs { get; init; } = [];

    /// <summary>Whether the migration was begun and neither finished nor resolved. When nobody is at work, a person or the next run has to act.</summary>
    [BsonIgnore]
    public bool IsHalfDone => State is MigrationState.Running or MigrationState.Failed;

    /// <summary>The record with one more attempt that came to an end.</summary>
    /// <param name="run">The attempt.</param>
    public MigrationRecord With(MigrationRun run) => this with { Runs = [.. Runs.Append(run).TakeLast(KeptRuns)] };
}
