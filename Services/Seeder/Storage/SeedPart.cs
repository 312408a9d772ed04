namespace Platform.Seeder.Storage;

/// <summary>One collection that was seeded to its end.</summary>
public sealed record SeedPart
{
    /// <summary>The collection.</summary>
    public required string Collection { get; init; }

    /// <summary>How many documents were written.</summary>
    public required long Documents { get; init; }

    /// <summary>The SHA-256 over the BSON of its documents in the order of their keys.</summary>
    public required string Hash { get; init; }
}
