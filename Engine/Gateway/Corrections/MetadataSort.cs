using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// A sort by <c>{$meta: "textScore"}</c> without a search for text ends PostgreSQL when the documents come from another stage than a collection. It
/// is refused, as by the server, unless the pipeline begins with a <c>$match</c> that has <c>$text</c>. It may go when
/// <c>{aggregate: "c", pipeline: [{$indexStats: {}}, {$sort: {a: {$meta: "textScore"}}}], cursor: {}}</c> is answered.
/// </summary>
internal static class MetadataSort
{
    private const ErrorCode MetadataMissing = (ErrorCode)40218;

    /// <summary>Throws <see cref="CommandException"/> when a stage sorts by a score that there is none of.</summary>
    public static void Refuse(RawDocument stages)
    {
        var first = true;
        var searches = false;
        foreach (var stage in stages)
        {
            if (stage.Type != BsonType.Document)
            {
                return;
            }

            foreach (var operation in stage.Document)
            {
                if (operation.Type != BsonType.Document)
                {
                    continue;
                }

                searches |= first && operation.Is("$match"u8) && Searches(operation.Document);
                if (!searches && SortsByMetadata(operation))
                {
                    throw Missing();
                }
            }

            first = false;
        }
    }

    /// <summary>The same for a find, which may read a view of such a stage.</summary>
    public static void RefuseFind(RawDocument command)
    {
        if (command.TryGet("find"u8, out _)
            && command.TryGet("sort"u8, out var sort) && sort.Type == BsonType.Document && HasMetadata(sort.Document)
            && !(command.TryGet("filter"u8, out var filter) && filter.Type == BsonType.Document && Searches(filter.Document)))
        {
            throw Missing();
        }
    }

    private static CommandException Missing() => new(MetadataMissing, "query requires text score metadata, but it is not available");

    private static bool SortsByMetadata(in RawElement operation)
    {
        if (operation.Is("$sort"u8))
        {
            return HasMetadata(operation.Document);
        }

        return (operation.Is("$fill"u8) || operation.Is("$setWindowFields"u8))
            && operation.Document.TryGet("sortBy"u8, out var keys) && keys.Type == BsonType.Document && HasMetadata(keys.Document);
    }

    private static bool HasMetadata(RawDocument keys)
    {
        foreach (var key in keys)
        {
            if (key.Type == BsonType.Document && key.Document.TryGet("$meta"u8, out _))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Searches(RawDocument filter)
    {
        foreach (var element in filter)
        {
            if (element.Is("$text"u8))
            {
                return true;
            }

            if (element.Type == BsonType.Array && (element.Is("$and"u8) || element.Is("$or"u8)))
            {
                foreach (var clause in element.Document)
                {
                    if (clause.Type == BsonType.Document && Searches(clause.Document))
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }
}
