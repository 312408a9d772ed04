using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Collections;

/// <summary>
/// Time series collections. The backend has none: such a collection is an ordinary one that demands a date in its time field, has an
/// index on meta field and time, and loses old documents by a TTL index. Measurements are not put into buckets, so it takes
/// the room of an ordinary collection. What a server refuses of them is refused (<see cref="TimeSeriesRules"/>).
/// </summary>
internal sealed class TimeSeries
{
    private const string ExpiryIndex = "gateway_timeseries_expiry";
    private readonly string _time;
    private readonly string? _meta;
    private readonly BsonValue? _expireAfter;

    private TimeSeries(string time, string? meta, BsonValue? expireAfter)
    {
        _time = time;
        _meta = meta;
        _expireAfter = expireAfter;
    }

    /// <summary>
    /// Takes the options that only a time series has out of a create command and puts a validator there; they go to
    /// <paramref name="own"/>. Null when it is none. Throws <see cref="CommandException"/> for options that the server refuses.
    /// </summary>
    public static TimeSeries? Take(BsonDocument create, BsonDocument own)
    {
        if (!create.TryGetValue("timeseries", out var value))
        {
            return null;
        }

        if (value is not BsonDocument options)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "BSON field 'create.timeseries' is the wrong type, expected type 'object'");
        }

        foreach (var refused in (ReadOnlySpan<string>)["capped", "viewOn", "validator", "clusteredIndex"])
        {
            if (create.Contains(refused))
            {
                throw new CommandException(ErrorCode.InvalidOptions, $"'timeseries' and '{refused}' cannot be used together");
            }
        }

        foreach (var field in options.Names)
        {
            if (field is not ("timeField" or "metaField" or "granularity" or "bucketMaxSpanSeconds" or "bucketRoundingSeconds"))
            {
                throw new CommandException((ErrorCode)40415, $"BSON field 'create.timeseries.{field}' is an unknown field.");
            }
        }

        var time = Field(options, "timeField")
            ?? throw new CommandException((ErrorCode)40414, "BSON field 'create.timeseries.timeField' is missing but a required field");
        var meta = Field(options, "metaField");
        if (time == "_id" || meta == "_id" || time == meta)
        {
            throw new CommandException(ErrorCode.InvalidOptions, "timeField and metaField must be two fields other than _id");
        }

        var granularity = options.GetValue("granularity", "seconds");
        if (granularity is not BsonString { Value: "seconds" or "minutes" or "hours" })
        {
            throw new CommandException(ErrorCode.BadValue, "Enumeration value for field 'create.timeseries.granularity' is not a valid value.");
        }

        var kept = (BsonDocument)options.DeepClone();
        if (!kept.Contains("bucketMaxSpanSeconds"))
        {
            kept["granularity"] = granularity;
            kept["bucketMaxSpanSeconds"] = SpanOf(granularity.AsString);
        }

        own[CollectionOptions.TimeSeries] = kept;
        var expireAfter = create.GetValue("expireAfterSeconds", BsonNull.Value);
        if (expireAfter.IsNumeric)
        {
            own[CollectionOptions.ExpireAfter] = expireAfter.ToInt64();
        }

        create.Remove("timeseries");
        create.Remove("expireAfterSeconds");
        create["validator"] = new BsonDocument("$jsonSchema", new BsonDocument
        {
            { "required", new BsonArray { time } },
            { "properties", new BsonDocument(time, new BsonDocument("bsonType", "date")) },
        });
        return new TimeSeries(time, meta, expireAfter.IsNumeric ? expireAfter : null);
    }

    /// <summary>The command that makes the indexes of the new collection.</summary>
    public BsonDocument? Indexes(string collection)
    {
        var indexes = new BsonArray();
        if (_meta is not null)
        {
            indexes.Add(new BsonDocument { { "key", new BsonDocument { { _meta, 1 }, { _time, 1 } } }, { "name", $"{_meta}_1_{_time}_1" } });
        }

        if (_expireAfter is not null)
        {
            indexes.Add(Expiry(_time, _expireAfter));
        }

        return indexes.Count == 0 ? null : new BsonDocument { { "createIndexes", collection }, { "indexes", indexes } };
    }

    /// <summary>Whether an index is one that only the collection behind the time series has.</summary>
    public static bool Hides(RawDocument index) => index.TryGet("name"u8, out var name) && name.Text is ("_id_" or ExpiryIndex);

    /// <summary>
    /// An insert in which the time of each document is judged, or an update in which it is not: an update leaves it alone, and where the backend validates
    /// what becomes of documents, it writes that to all that have the same <c>_id</c>.
    /// </summary>
    public static RawDocument Validated(string name, RawDocument body)
    {
        var given = BsonBuilder.Without(body, "bypassDocumentValidation");
        return new RawDocument(name == "update"
            ? new BsonBuilder(given.Length + 32).AddElements(given.Span[4..^1]).Add("bypassDocumentValidation"u8, BsonType.Boolean, [1]).Finish()
            : given);
    }

    /// <summary>Turns a collMod of a time series into one of the collection that stands for it.</summary>
    /// <returns>The index that has to be made for a life that is new; null when there is none to be made.</returns>
    public static BsonDocument? Modify(BsonDocument collMod, BsonDocument own, BsonDocument options)
    {
        if (collMod.Contains("validator"))
        {
            throw new CommandException(ErrorCode.InvalidOptions, "option not supported on a time-series collection: validator");
        }

        if (collMod.TryGetValue("timeseries", out var changed))
        {
            ModifyBuckets(changed, options);
            collMod.Remove("timeseries");
        }

        if (!collMod.TryGetValue("expireAfterSeconds", out var expireAfter))
        {
            return null;
        }

        var expires = own.Contains(CollectionOptions.ExpireAfter);
        if (!expires && expireAfter == "off")
        {
            collMod.Remove("expireAfterSeconds");
            return null;
        }

        if (!expireAfter.IsNumeric)
        {
            throw new CommandException(
                ErrorCode.CommandNotSupported, "The life of a time series can be changed but not switched off; choose a long one.");
        }

        collMod.Remove("expireAfterSeconds");
        own[CollectionOptions.ExpireAfter] = expireAfter.ToInt64();
        if (expires)
        {
            collMod["index"] = new BsonDocument { { "name", ExpiryIndex }, { "expireAfterSeconds", expireAfter } };
            return null;
        }

        return new BsonDocument
        {
            { "createIndexes", collMod[0] }, { "indexes", new BsonArray { Expiry(options["timeField"].AsString, expireAfter) } },
        };
    }

    // Buckets that are there keep their span, so a server lets it grow only.
    private static void ModifyBuckets(BsonValue changed, BsonDocument options)
    {
        if (changed is not BsonDocument { ElementCount: > 0 } fields)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "BSON field 'collMod.timeseries' is the wrong type, expected type 'object'");
        }

        foreach (var field in fields)
        {
            switch (field.Name)
            {
                case "granularity":
                    if (field.Value is not BsonString { Value: "seconds" or "minutes" or "hours" } granularity)
                    {
                        throw new CommandException(
                            ErrorCode.BadValue, "Enumeration value for field 'collMod.timeseries.granularity' is not a valid value.");
                    }

                    if (SpanOf(granularity.Value) < options["bucketMaxSpanSeconds"].ToInt64())
                    {
                        throw new CommandException(
                            ErrorCode.InvalidOptions,
                            "Invalid transition for timeseries.granularity. Can only transition from 'seconds' to 'minutes' or 'minutes' to 'hours'.");
                    }

                    options.Remove("bucketRoundingSeconds");
                    options["granularity"] = granularity;
                    options["bucketMaxSpanSeconds"] = SpanOf(granularity.Value);
                    break;
                case "bucketMaxSpanSeconds" or "bucketRoundingSeconds":
                    if (!field.Value.IsNumeric || field.Value.ToInt64() < options["bucketMaxSpanSeconds"].ToInt64())
                    {
                        throw new CommandException(ErrorCode.InvalidOptions, $"timeseries.{field.Name} can only be made larger.");
                    }

                    options.Remove("granularity");
                    options[field.Name] = field.Value;
                    break;
                default:
                    throw new CommandException((ErrorCode)40415, $"BSON field 'collMod.timeseries.{field.Name}' is an unknown field.");
            }
        }
    }

    private static int SpanOf(string granularity) => granularity switch { "hours" => 2_592_000, "minutes" => 86_400, _ => 3_600 };

    private static BsonDocument Expiry(string time, BsonValue expireAfter) =>
        new() { { "key", new BsonDocument(time, 1) }, { "name", ExpiryIndex }, { "expireAfterSeconds", expireAfter } };

    private static string? Field(BsonDocument options, string name) => !options.TryGetValue(name, out var value) ? null
        : value is BsonString { Value: { Length: > 0 } field } && !field.Contains('.', StringComparison.Ordinal) ? field
        : throw new CommandException(ErrorCode.BadValue, $"'{name}' must be the name of a top-level field");
}
