using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Collections;

/// <summary>What a server of <see cref="Topology.ServerVersion"/> refuses of a time series.</summary>
/// <param name="TimeField">The field of a measurement's time.</param>
/// <param name="MetaField">The field of its source; null when it has none.</param>
/// <remarks><see href="https://www.mongodb.com/docs/v7.0/core/timeseries/timeseries-limitations/"/></remarks>
internal sealed record TimeSeriesRules(string TimeField, string? MetaField)
{
    /// <summary>The rules of a time series of these options.</summary>
    public static TimeSeriesRules Of(BsonDocument options) =>
        new(options["timeField"].AsString, options.GetValue("metaField", BsonNull.Value) is BsonString meta ? meta.Value : null);

    /// <summary>What statistics do not say of a time series: a server counts its buckets.</summary>
    public static IReadOnlyList<string> NotCounted { get; } = ["count", "avgObjSize"];

    /// <summary>Throws <see cref="CommandException"/>: no transaction writes to a time series.</summary>
    /// <param name="name">insert, update, delete or findAndModify.</param>
    /// <param name="ns">The namespace <c>database.collection</c> for the message.</param>
    public static void RefuseTransaction(string name, string ns) => throw new CommandException(
        ErrorCode.OperationNotSupportedInTransaction,
        name switch
        {
            "insert" => $"Cannot insert into a time-series collection in a multi-document transaction: {ns}",
            "update" or "delete" => $"Cannot perform a multi {name} inside of a multi-document transaction on a time-series collection: {ns}",
            _ => $"Cannot perform a {name} inside of a multi-document transaction on a time-series collection: {ns}",
        });

    /// <summary>
    /// Why a statement of an update is refused; null when it is not. Buckets are kept by the source of their measurements, so an update may look at it
    /// alone, may change it alone, and changes whatever has it.
    /// </summary>
    /// <param name="statement">A statement of <c>updates</c>, or a findAndModify with an update, which has no <c>multi</c>.</param>
    public string? Refusal(RawDocument statement)
    {
        if (!(statement.TryGet("multi"u8, out var multi) && multi.Truthy))
        {
            return "Cannot perform a non-multi update on a time-series collection";
        }

        if (statement.TryGet("upsert"u8, out var upsert) && upsert.Truthy)
        {
            return "Cannot perform an upsert on a time-series collection";
        }

        if (MetaField is null)
        {
            return "Cannot perform an update on a time-series collection that does not have a metaField";
        }

        return (statement.TryGet("q"u8, out var filter) && filter.Type == BsonType.Document ? RefusalOfFilter(filter.Document) : null)
            ?? (statement.TryGet("u"u8, out var update) ? RefusalOfUpdate(update) : null);
    }

    /// <summary>Throws <see cref="CommandException"/> when a time series cannot have one of these indexes.</summary>
    public void CheckIndexes(IEnumerable<BsonDocument> indexes)
    {
        foreach (var index in indexes)
        {
            var key = index.GetValue("key", BsonNull.Value) as BsonDocument ?? [];
            if (index.GetValue("unique", false).ToBoolean())
            {
                throw Refused("Unique indexes are not supported on time-series collections");
            }

            if (key.Values.Contains("text"))
            {
                throw Refused("Text indexes are not supported on time-series collections");
            }

            if (index.GetValue("sparse", false).ToBoolean() && !key.Names.All(path => path == TimeField || IsOfMeta(path)))
            {
                throw Refused("Sparse indexes are not supported on time-series measurements");
            }

            if (!index.Contains("expireAfterSeconds"))
            {
                continue;
            }

            if (index.GetValue("partialFilterExpression", BsonNull.Value) is not BsonDocument part
                || MetaField is null || RefusalOfFilter(new RawDocument(part.ToRaw())) is not null)
            {
                throw Refused("TTL indexes on time-series collections require a partialFilterExpression on the metaField");
            }

            if (key.ElementCount != 1 || key.GetElement(0).Name != TimeField)
            {
                throw Refused("TTL indexes on non-time fields are not supported on time-series collections");
            }
        }
    }

    private static CommandException Refused(string message) => new(ErrorCode.InvalidOptions, message);

    private bool IsOfMeta(string path) => MetaField is not null && path.Split('.', 2)[0] == MetaField;

    private string? RefusalOfFilter(RawDocument filter)
    {
        foreach (var element in filter)
        {
            if (RefusalOfCondition(element, isField: true, isInArray: false) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    // A server, too, looks at names wherever they stand, and takes the names in the documents of a list for paths.
    private string? RefusalOfCondition(RawElement element, bool isField, bool isInArray)
    {
        var name = element.NameText;
        if (name is "$expr" or "$where")
        {
            return $"Cannot use {name} when performing an update or delete on a time-series collection";
        }

        if (name == "$jsonSchema")
        {
            return element.Type == BsonType.Document && !SchemaIsOfMeta(element.Document) ? NotMeta() : null;
        }

        if (isField && !name.StartsWith('$') && !IsOfMeta(name))
        {
            return NotMeta();
        }

        if (element.Type is BsonType.Document or BsonType.Array)
        {
            foreach (var child in element.Document)
            {
                if (RefusalOfCondition(child, isInArray && element.Type == BsonType.Document, element.Type == BsonType.Array) is { } refusal)
                {
                    return refusal;
                }
            }
        }

        return null;

        string NotMeta() =>
            $"Cannot perform an update or delete on a time-series collection when querying on a field that is not the metaField '{MetaField}'";
    }

    private bool SchemaIsOfMeta(RawDocument schema)
    {
        foreach (var keyword in schema)
        {
            if (keyword.Type is not (BsonType.Document or BsonType.Array) || !(keyword.Is("required"u8) || keyword.Is("properties"u8)))
            {
                continue;
            }

            foreach (var field in keyword.Document)
            {
                if ((keyword.Type == BsonType.Array ? field.Text : field.NameText) != MetaField)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private string? RefusalOfUpdate(RawElement update)
    {
        if (update.Type == BsonType.Array)
        {
            return "Cannot perform an update on a time-series collection using a pipeline update";
        }

        if (update.Type != BsonType.Document)
        {
            return null;
        }

        if (update.Document.Count() == 0 || !update.Document.First.NameText.StartsWith('$'))
        {
            return "Cannot perform an update on a time-series collection using a replacement document";
        }

        foreach (var step in update.Document)
        {
            if (step.Type != BsonType.Document)
            {
                continue;
            }

            foreach (var field in step.Document)
            {
                if (!IsOfMeta(field.NameText) || (step.Is("$rename"u8) && !(field.Text is { } target && IsOfMeta(target))))
                {
                    return $"Cannot perform an update on a time-series collection which updates a field that is not the metaField '{MetaField}'";
                }
            }
        }

        return null;
    }
}
