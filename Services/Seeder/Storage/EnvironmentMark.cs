using MongoDB.Bson.Serialization.Attributes;

namespace Platform.Seeder.Storage;

/// <summary>What a database is for, as it says itself. The seeder writes only where this says development.</summary>
public sealed record EnvironmentMark
{
    /// <summary>The only mark's key.</summary>
    public const string OnlyId = "environment";

    /// <summary>The name by which made-up data is welcome.</summary>
    public const string Development = "development";

    /// <summary>Always <see cref="OnlyId"/>.</summary>
    [BsonId]
    public string Id { get; init; } = OnlyId;

    /// <summary><see cref="Development"/>, or any other name, which keeps made-up data out.</summary>
    public required string Name { get; init; }

    /// <summary>When it was written (UTC).</summary>
    public required DateTime MarkedAt { get; init; }

    /// <summary>On which machine, by which user.</summary>
    public required string MarkedBy { get; init; }
}
