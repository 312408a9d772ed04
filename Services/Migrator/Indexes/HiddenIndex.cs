using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;

namespace Platform.Migrator.Indexes;

/// <summary>An index that is hidden before it is dropped: since when, and what it was, so that it can be had back.</summary>
internal sealed record HiddenIndex
{
    /// <summary>The collection and the index, with a dot between them.</summary>
    [BsonId]
    public required string Id { get; init; }

    /// <summary>When it was hidden (UTC).</summary>
    public required DateTime HiddenAt { get; init; }

    /// <summary>The machine that hid it.</summary>
    public required string Host { get; init; }

    /// <summary>The index as <c>listIndexes</c> reported it.</summary>
    public required BsonDocument Specification { get; init; }
}
