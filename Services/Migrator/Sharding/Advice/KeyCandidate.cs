using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Sharding.Advice;

/// <summary>A shard key that is judged.</summary>
/// <param name="Key">The key.</param>
/// <param name="IsDeclared">Whether it is the one that the catalogue declares.</param>
internal sealed record KeyCandidate(ShardKey Key, bool IsDeclared)
{
    private const string Id = "_id";

    /// <summary>
    /// The declared key, and those that somebody would think of: the key of the document, the tenant, time, and what unique indexes begin with.
    /// </summary>
    /// <param name="collection">The collection.</param>
    /// <param name="date">The field that tells when a document was made; null when there is none.</param>
    public static IReadOnlyList<KeyCandidate> Of(CollectionDefinition collection, string? date)
    {
        ArgumentNullException.ThrowIfNull(collection);
        List<IndexKey[]> keys = [];
        if (collection.IsTenantOwned)
        {
            keys.Add([new(QueryPattern.Tenant)]);
        }

        if (collection.TimeSeries is { } series)
        {
            // It is sharded by its source or its time, and by nothing else.
            keys.Add([new(series.MetaField, IndexKind.Hashed)]);
            keys.Add([new(series.TimeField)]);
            keys.Add([new(series.MetaField), new(series.TimeField)]);
        }
        else
        {
            keys.Add([new(Id)]);
            keys.Add([new(Id, IndexKind.Hashed)]);
            if (collection.IsTenantOwned)
            {
                keys.Add([new(QueryPattern.Tenant, IndexKind.Hashed)]);
                keys.Add([new(QueryPattern.Tenant), new(Id)]);
            }

            if (date is not null)
            {
                keys.Add([new(date)]);
                keys.Add(collection.IsTenantOwned ? [new(QueryPattern.Tenant), new(date)] : [new(date, IndexKind.Hashed)]);
            }

            foreach (var unique in collection.Indexes.Where(index => index.Unique && index.PartialFilter is null && index.Keys.Count > 1))
            {
                var first = unique.Keys.Take(2).Select(key => new IndexKey(key.Field)).ToArray();
                keys.Add(first);
                keys.Add([first[0], first[1] with { Kind = IndexKind.Hashed }]);
            }
        }

        var declared = collection.ShardKey;
        return
        [
            new(declared, IsDeclared: true),
            .. keys.Where(key => !key.SequenceEqual(declared.Keys))
                .DistinctBy(key => string.Join(',', key.Select(each => each.ToString())))
                .Select(key => new KeyCandidate(declared with { Keys = key, Reason = "Considered." }, IsDeclared: false)),
        ];
    }

    /// <summary>Reads a key as a person writes it, such as <c>tenantId:1,number:hashed</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="collection">The collection that it would be for.</param>
    /// <exception cref="JobUsageException">It is none.</exception>
    public static KeyCandidate Parse(string text, CollectionDefinition collection)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(collection);
        var keys = text.Split(',').Select(part => part.Split(':', StringSplitOptions.TrimEntries) switch
        {
            [{ Length: > 0 } field, "1"] when field[0] != '$' => new IndexKey(field),
            [{ Length: > 0 } field, "hashed"] when field[0] != '$' => new IndexKey(field, IndexKind.Hashed),
            _ => throw Mistake(),
        }).ToArray();
        return keys.Count(key => key.Kind == IndexKind.Hashed) > 1 || keys.DistinctBy(key => key.Field).Count() < keys.Length
            ? throw Mistake()
            : new(collection.ShardKey with { Keys = keys, Reason = "Asked for." }, keys.SequenceEqual(collection.ShardKey.Keys));

        JobUsageException Mistake() =>
            new($"--key takes fields with 1 or hashed, at most one of them hashed, such as tenantId:1,number:hashed, not '{text}'.");
    }
}
