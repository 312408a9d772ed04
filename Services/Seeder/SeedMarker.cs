using MongoDB.Bson.Serialization.Attributes;

namespace Platform.Seeder;

/// <summary>What the seeder did to a database last.</summary>
public sealed record SeedMarker
{
    /// <summary>The only marker's key.</summary>
    public const string OnlyId = "seed";

    /// <summary>Always <see cref="OnlyId"/>.</summary>
    [BsonId]
    public string Id { get; init; } = OnlyId;

    /// <summary>The version of the generated data.</summary>
    public required int DataVersion { get; init; }

    /// <summary>The start of the random numbers.</summary>
    public required int Seed { get; init; }

    /// <summary>How many tenants.</summary>
    public required int Tenants { get; init; }

    /// <summary>What multiplied a tenant's documents.</summary>
    public required int Scale { get; init; }

    /// <summary>Whether all documents were written.</summary>
    public required bool Complete { get; init; }

    /// <summary>The fencing number of the lease under which this was written.</summary>
    public required long Fence { get; init; }

    /// <summary>How many documents were written; 0 until complete.</summary>
    public long Documents { get; init; }

    /// <summary>The SHA-256 over all documents' BSON, in order; null until complete.</summary>
    public string? Hash { get; init; }

    /// <summary>When the writing began (UTC).</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>When it was complete (UTC).</summary>
    public DateTime? CompletedAt { get; init; }
}
