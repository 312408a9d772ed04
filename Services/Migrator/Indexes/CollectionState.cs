using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Indexes;

/// <summary>A collection and its indexes as a database has them.</summary>
public sealed record CollectionState
{
    /// <summary>The collection's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the server is that has it.</summary>
    public ServerKind Server { get; init; }

    /// <summary>The collection as <c>listCollections</c> reports it; empty when not asked for.</summary>
    public BsonDocument Listed { get; init; } = [];

    /// <summary>Whether the server keeps it as a time series.</summary>
    public bool IsTimeSeries { get; init; }

    /// <summary>Whether it is a view, which has no indexes.</summary>
    public bool IsView => Listed.GetValue("type", "") == "view";

    /// <summary>The indexes as <c>listIndexes</c> reports them.</summary>
    public required IReadOnlyList<BsonDocument> Indexes { get; init; }

    /// <summary>How many documents it has, about; 0 when not asked for.</summary>
    public long Documents { get; init; }

    /// <summary>What the documents take, in bytes, before compression; 0 when not asked for.</summary>
    public long DataBytes { get; init; }

    /// <summary>What each index takes in storage, in bytes, by name; empty when not asked for.</summary>
    public IReadOnlyDictionary<string, long> IndexBytes { get; init; } = new Dictionary<string, long>();

    /// <summary>How often each index was used, by name; empty when not asked for, or when the server does not count.</summary>
    public IReadOnlyDictionary<string, IndexUsage> Usage { get; init; } = new Dictionary<string, IndexUsage>();
}
