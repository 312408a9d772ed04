using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>
/// The options of a collection in one form, whether they were declared or listed: each with a value and a name, those within
/// <c>timeseries</c> with a dotted one, and none that says what is so without it.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/command/listCollections/"/></remarks>
internal static class ListedOptions
{
    /// <summary>The name that the kind of collection goes by here; a server lists it beside the options.</summary>
    public const string Kind = "type";

    /// <summary>Servers round the size of a capped collection up to a multiple of this.</summary>
    private const long SizeUnit = 256;

    /// <summary>The options.</summary>
    /// <param name="kind"><c>collection</c>, <c>timeseries</c> or <c>view</c>.</param>
    /// <param name="options">The options as <c>create</c> takes them and <c>listCollections</c> lists them; what concerns a validator is left out.</param>
    public static BsonDocument Of(string kind, BsonDocument options)
    {
        var all = new BsonDocument(Kind, kind);
        foreach (var option in options.Where(option => !SaysNothing(option, kind)))
        {
            switch (option)
            {
                case { Name: "timeseries", Value: BsonDocument series }:
                    all.AddRange(Series(series));
                    break;
                case { Name: "collation", Value: BsonDocument collation }:
                    // The version is that of the server's tables.
                    all.Add("collation", new BsonDocument(collation.Where(field => field.Name != "version")));
                    break;
                case { Name: "size", Value.IsNumeric: true }:
                    all.Add("size", (option.Value.ToInt64() + SizeUnit - 1) / SizeUnit * SizeUnit);
                    break;
                default:
                    all.Add(option);
                    break;
            }
        }

        return all;
    }

    private static bool SaysNothing(BsonElement option, string kind) => option switch
    {
        { Name: "validator" or "validationLevel" or "validationAction" } => true,
        { Name: "capped" or "temp", Value: BsonBoolean { Value: false } } or { Name: "autoIndexId", Value: BsonBoolean { Value: true } } => true,
        { Name: "changeStreamPreAndPostImages", Value: BsonDocument images } => !images.GetValue("enabled", false).ToBoolean(),
        { Name: "collation", Value: BsonDocument collation } => collation["locale"] == "simple",
        // Some servers keep the buckets of a time series so, and say it.
        { Name: "clusteredIndex" } => kind == "timeseries",
        _ => false,
    };

    private static IEnumerable<BsonElement> Series(BsonDocument series)
    {
        foreach (var field in series.Where(field => field.Name is not ("bucketMaxSpanSeconds" or "bucketRoundingSeconds")))
        {
            yield return new($"timeseries.{field.Name}", field.Value);
        }

        // The granularity stands for both; without it both are what somebody chose.
        if (series.TryGetValue("granularity", out var granularity))
        {
            yield return new("timeseries.bucketMaxSpanSeconds", series.GetValue("bucketMaxSpanSeconds", TimeSeriesDefinition.BucketSpan(granularity.AsString)));
        }
        else
        {
            foreach (var field in series.Where(field => field.Name is "bucketMaxSpanSeconds" or "bucketRoundingSeconds"))
            {
                yield return new($"timeseries.{field.Name}", field.Value);
            }
        }
    }
}
