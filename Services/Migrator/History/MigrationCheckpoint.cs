using MongoDB.Bson;

namespace Platform.Migrator.History;

/// <summary>How far a step that works in batches has come. Written after each batch, so that at most one is done again.</summary>
public sealed record MigrationCheckpoint
{
    /// <summary>The step.</summary>
    public required string Step { get; init; }

    /// <summary>The <c>_id</c> of the last document of the last batch that is done.</summary>
    public required BsonValue Position { get; init; }

    /// <summary>How many documents are done.</summary>
    public required long Documents { get; init; }

    /// <summary>How many there were to do when the step began.</summary>
    public required long Total { get; init; }
}
