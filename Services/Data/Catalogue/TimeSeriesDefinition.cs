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

    /// <summary>For how long a bucket takes measurements, in seconds, at a granularity.</summary>
    /// <param name="granularity">The granularity.</param>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/timeseries/timeseries-granularity/"/></remarks>
    public static int BucketSpan(string granularity) => granularity switch
    {
        "seconds" => 3_600,
        "minutes" => 86_400,
        "hours" => 2_592_000,
        _ => throw new ArgumentException($"{granularity} is no granularity of a time series.", nameof(granularity)),
    };

    /// <summary>The index on source and time. Servers from version 6.3 on make it with the time series; nobody makes it again when it was dropped.</summary>
    internal IndexDefinition Source() => new()
    {
        Name = SourceIndex,
        Keys = [new(MetaField), new(TimeField)],
        Serves = "A source's measurements over a period; most servers make it with the time series.",
        Queries = Queries,
    };

    /// <summary>The index that lets documents expire where the engine keeps them as plain ones.</summary>
    internal IndexDefinition Expiry() => new()
    {
        Name = ExpiryIndex,
        Keys = [new(TimeField)],
        ExpireAfter = ExpireAfter,
        Serves = "Lets documents expire where the engine has no time series, which would do so themselves.",
        TenantException = "An index that lets documents expire has one field, their time.",
    };
}
