using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>What an index has to offer for a query: fields compared for equality, the sort, fields compared otherwise.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Equality">Fields that have to have a value, or one of a few.</param>
/// <param name="Sort">The fields of the sort with their directions.</param>
/// <param name="Range">Fields that are compared in another way.</param>
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
    private const string Tenant = "tenantId";

    // Of find; of count, distinct and findAndModify; of update and delete.
    private static readonly string[] s_filterNames = ["filter", "query", "q"];

    /// <summary>The query in one line; equal for queries that differ in their values only.</summary>
    public string Text =>
        $"{Collection}: {string.Join(", ", Equality.Select(name => $"{name} =").Concat(Range.Select(name => $"{name} <>")))}"
        + (Sort.Count == 0 ? "" : $" sort {new BsonDocument(Sort).ToJson()}");

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
        var leading = keys.TakeWhile(key => equality.Contains(key.Name)).Select(key => key.Name).ToList();
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
        return (same.Count == 0 || (same.Count == 1 && same[0] != 0)) && Range.All(keys.Contains);
    }

    /// <summary>The pattern of a command; null when it asks nothing that an index could answer.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="command">The command, or the part of it that a profile kept.</param>
    public static QueryPattern? Of(string collection, BsonDocument command)
    {
        var (filter, sort) = Parts(command);
        var equality = new List<string>();
        var range = new List<string>();
        var values = new BsonDocument();
        var special = false;
        Read(filter, equality, range, values, ref special);
        var sorted = sort.Where(element => element.Value.IsNumeric).ToList();
        return equality.Count + range.Count + sorted.Count == 0 && !special
            ? null
            : new QueryPattern(
                collection,
                [.. equality.Distinct().Order(StringComparer.Ordinal)],
                sorted,
                [.. range.Distinct().Except(equality).Order(StringComparer.Ordinal)],
                special,
                values);
    }

    private static (BsonDocument Filter, BsonDocument Sort) Parts(BsonDocument command)
    {
        if (command.TryGetValue("pipeline", out var pipeline) && pipeline is BsonArray { Count: > 0 } stages)
        {
            // Only what comes before documents are made anew is asked of the collection.
            var filter = new BsonDocument();
            foreach (var stage in stages.OfType<BsonDocument>().Where(stage => stage.ElementCount == 1))
            {
                switch (stage.GetElement(0).Name)
                {
                    case "$match":
                        filter = filter.ElementCount == 0
                            ? stage[0].AsBsonDocument
                            : new BsonDocument("$and", new BsonArray { filter, stage[0] });
                        break;
                    case "$geoNear":
                        return (new BsonDocument("$near", 1), []);
                    case "$sort":
                        return (filter, stage[0].AsBsonDocument);
                    case "$limit" or "$skip":
                        break;
                    default:
                        return (filter, []);
                }
            }

            return (filter, []);
        }

        var found = s_filterNames.Select(name => command.GetValue(name, BsonNull.Value)).OfType<BsonDocument>().FirstOrDefault();
        return (found ?? [], command.GetValue("sort", BsonNull.Value) as BsonDocument ?? []);
    }

    private static void Read(BsonDocument filter, List<string> equality, List<string> range, BsonDocument values, ref bool special)
    {
        foreach (var element in filter)
        {
            switch (element.Name)
            {
                case "$and" when element.Value is BsonArray parts:
                    foreach (var part in parts.OfType<BsonDocument>())
                    {
                        Read(part, equality, range, values, ref special);
                    }

                    break;
                case "$text" or "$near":
                    special = true;
                    break;
                case var name when name.StartsWith('$'):
                    break;
                default:
                    ReadField(element, equality, range, values, ref special);
                    break;
            }
        }
    }

    private static void ReadField(BsonElement element, List<string> equality, List<string> range, BsonDocument values, ref bool special)
    {
        if (element.Value is not BsonDocument { ElementCount: > 0 } operators || !operators.GetElement(0).Name.StartsWith('$'))
        {
            equality.Add(element.Name);
            values[element.Name] = element.Value;
        }
        else if (operators.Names.Any(name => name is "$near" or "$nearSphere" or "$geoWithin" or "$geoIntersects"))
        {
            special = true;
        }
        else
        {
            if (operators.TryGetValue("$eq", out var value))
            {
                values[element.Name] = value;
            }

            (operators.Contains("$eq") || operators.Contains("$in") ? equality : range).Add(element.Name);
        }
    }
}
