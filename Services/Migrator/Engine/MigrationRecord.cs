using MongoDB.Bson.Serialization.Attributes;

namespace Platform.Migrator.Engine;

/// <summary>What was done for one migration in a database.</summary>
public sealed record MigrationRecord
{
    /// <summary>The id of the record of the last time the collections were brought in line with the catalogue.</summary>
    public const string CatalogueId = "catalogue";

    /// <summary>Number and name, such as <c>0001_create_collections</c>, or <see cref="CatalogueId"/>.</summary>
    [BsonId]
    public required string Id { get; init; }

    /// <summary>The number; 0 for the catalogue.</summary>
    public required int Number { get; init; }

    /// <summary>The checksum of what was run.</summary>
    public required string Checksum { get; init; }

    /// <summary>How it stands.</summary>
    public required MigrationState State { get; init; }

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
}
