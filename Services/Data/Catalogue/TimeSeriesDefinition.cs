using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>How measurements are kept together. An engine without time series keeps them as plain documents, with the same indexes.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/timeseries-collections/"/></remarks>
public sealed record TimeSeriesDefinition
{
    /// <summary>The name of the index that lets the documents expire where the engine has no time series.</summary>
    public const string ExpiryIndex = "expiry";

    /// <summary>The field with the moment of the measurement.</summary>
    public required string TimeField { get; init; }

    /// <summary>The field that names the source; measurements of one source are kept together.</summary>
    public required string MetaField { get; init; }

    /// <summary>How often a source measures: <c>seconds</c>, <c>minutes</c> or <c>hours</c>.</summary>
    public required string Granularity { get; init; }

    /// <summary>After how long measurements expire.</summary>
    public required TimeSpan ExpireAfter { get; init; }

    /// <summary>The queries that the index on source and time serves, which comes with every time series.</summary>
    public IReadOnlyList<QueryShape> Queries { get; init; } = [];

    /// <summary>The name that the server gives to the index on source and time.</summary>
    public string SourceIndex => $"{MetaField}_1_{TimeField}_1";

    /// <summary>The options of the <c>create</c> command.</summary>
    public IEnumerable<BsonElement> Options() =>
    [
        new("timeseries", new BsonDocument { { "timeField", TimeField }, { "metaField", MetaField }, { "granularity", Granularity } }),
        new("expireAfterSeconds", (long)ExpireAfter.TotalSeconds),
    ];

    /// <summary>The indexes that stand in for what a time series has of itself: its index on source and time, and its expiry.</summary>
    internal IReadOnlyList<IndexDefinition> StandIns() =>
    [
        new()
        {
            Name = SourceIndex,
            Keys = [new(MetaField), new(TimeField)],
            Serves = "A source's measurements over a period; a time series has it of itself.",
            Queries = Queries,
        },
        new()
        {
            Name = ExpiryIndex,
            Keys = [new(TimeField)],
            ExpireAfter = ExpireAfter,
            Serves = "Lets documents expire where the engine has no time series, which would do so themselves.",
            TenantException = "An index that lets documents expire has one field, their time.",
        },
    ];
}
