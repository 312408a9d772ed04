using System.Globalization;
using MongoDB.Bson.Serialization.Attributes;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

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

    /// <summary>The day at whose beginning the history ends, as <c>yyyy-MM-dd</c>.</summary>
    public string Until { get; init; } = "";

    /// <summary>Whether the last run came to its end.</summary>
    public required bool Complete { get; init; }

    /// <summary>
    /// Whether documents of before are still being removed: what is there of collections that are not in <see cref="Parts"/> is not to be kept.
    /// </summary>
    public bool Removing { get; init; }

    /// <summary>The fencing number of the lease under which this was written.</summary>
    public required long Fence { get; init; }

    /// <summary>The collections that were written to their end.</summary>
    public IReadOnlyList<SeedPart> Parts { get; init; } = [];

    /// <summary>Slugs of the tenants that were removed since.</summary>
    public IReadOnlyList<string> RemovedTenants { get; init; } = [];

    /// <summary>Indexes, as <c>COLLECTION.INDEX</c>, that were dropped and are to be built when the writing is done.</summary>
    public IReadOnlyList<string> DeferredIndexes { get; init; } = [];

    /// <summary>When the writing began (UTC).</summary>
    public required DateTime StartedAt { get; init; }

    /// <summary>When it was complete (UTC).</summary>
    public DateTime? CompletedAt { get; init; }

    /// <summary>All documents of <see cref="Parts"/>, also those of tenants removed since.</summary>
    [BsonIgnore]
    public long Documents => Parts.Sum(part => part.Documents);

    /// <summary>The hash over all <see cref="Parts"/>.</summary>
    [BsonIgnore]
    public string Hash => SeedHash.Combine(Parts.Select(part => (part.Collection, part.Hash)));

    /// <summary>What the data was made from; null when another version of the generator made it.</summary>
    internal SeedSize? Size() =>
        DataVersion == SeedSize.DataVersion
            && DateOnly.TryParseExact(Until, SeedSize.DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var until)
            ? new SeedSize { Seed = Seed, Tenants = Tenants, Scale = Scale, Until = until }
            : null;
}
