using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>What an index has to offer for a query: fields compared for equality, the sort, fields compared otherwise.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Equality">Fields that have to have a value, or one of a few.</param>
/// <param name="Sort">The fields of the sort with their directions.</param>
/// <param name="Range">Fields that have to lie between values, or begin with a text.</param>
/// <param name="NeedsSpecialIndex">Whether the query searches words or places, which indexes of other kinds are for.</param>
/// <param name="Values">The values that fields had to have in the query that the pattern was taken from.</param>
internal sealed record QueryPattern(
    string Collection,
    IReadOnlyList<string> Equality,
    IReadOnlyList<BsonElement> Sort,
    IReadOnlyList<string> Range,
    bool NeedsSpecialIndex,
    BsonDocument Values)
{
    /// <summary>The field that every index of a tenant's documents begins with.</summary>
    public const string Tenant = "tenantId";

    /// <summary>The query in one line; equal for queries that differ in their values only.</summary>
    public string Text =>
        $"{Collection}: {string.Join(", ", Equality.Select(name => $"{name} =").Concat(Range.Select(name => $"{name} <>")))}"
        + (Sort.Count == 0 ? "" : $" sort {new BsonDocument(Sort).ToJson()}");

    /// <summary>Whether it names a tenant.</summary>
    public bool NamesTenant => Equality.Contains(Tenant);

    /// <summary>The same query of one tenant.</summary>
    public QueryPattern OfTenant() => NamesTenant ? this : this with { Equality = [Tenant, .. Equality], Range = [.. Range.Where(field => field != Tenant)] };

    /// <summary>The index that would serve the query: the tenant, other equality, the sort, then what is compared otherwise.</summary>
    public BsonDocument WantedKeys()
    {
        var keys = new BsonDocument();
        foreach (var field in Equality.OrderBy(field => field == Tenant ? 0 : 1))
        {
            keys[field] = 1;
        }

        foreach (var element in Sort.Where(element => !keys.Contains(element.Name)))
        {
            keys[element.Name] = element.Value;
        }

        foreach (var field in Range.Where(field => !keys.Contains(field)))
        {
            keys[field] = 1;
        }

        return keys;
    }

    /// <summary>Whether an index offers all of it.</summary>
    /// <param name="index">The index as <c>listIndexes</c> reports it.</param>
    public bool IsServedBy(BsonDocument index)
    {
        if (index.GetValue("hidden", false).ToBoolean())
        {
            return false;
        }

        // An index on some documents serves queries that ask for no others.
        var partial = index.GetValue("partialFilterExpression", new BsonDocument()).AsBsonDocument;
        if (!partial.All(element => Values.GetValue(element.Name, BsonNull.Value) == element.Value))
        {
            return false;
        }

        var keys = index["key"].AsBsonDocument;
        var equality = Equality.Except(partial.Names.Except(keys.Names)).ToHashSet(StringComparer.Ordinal);
        var leading = keys.TakeWhile(key => equality.Contains(key.Name) && (key.Value.IsNumeric || key.Value == "hashed")).ToList();
        if (leading.Count < equality.Count)
        {
            return false;
        }

        var rest = keys.Skip(leading.Count).ToList();
        var sort = Sort.Where(element => !Equality.Contains(element.Name)).ToList();
        if (sort.Count > rest.Count)
        {
            return false;
        }

        // A sort is served forwards or backwards, as a whole.
        var same = sort.Select((element, position) => rest[position].Name != element.Name || !rest[position].Value.IsNumeric
            ? 0
            : Math.Sign(rest[position].Value.ToDouble()) == Math.Sign(element.Value.ToDouble()) ? 1 : -1).Distinct().ToList();
        if (same.Count > 1 || same is [0] || !Range.All(keys.Contains))
        {
            return false;
        }

        // In the order of the sort the others are checked on the keys that are read; without one, the first of them bounds what is read.
        return Range.Count == 0 || sort.Count > 0 || (rest.Count > 0 && Range.Contains(rest[0].Name) && rest[0].Value.IsNumeric);
    }
}
