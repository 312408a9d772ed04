using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;

namespace Platform.Backup.InPlace;

/// <summary>
/// What documents hold of the values that are unique in a collection, so that those are found that take from each other what both cannot have at once. Values
/// that the server takes for equal are equal here; that some others are, too, does no harm: documents are then written together that need not be.
/// </summary>
internal sealed class UniqueValues
{
    private readonly IReadOnlyList<Index> _indexes;

    /// <summary>Makes it of the indexes of a collection, as <c>listIndexes</c> gives them.</summary>
    public UniqueValues(IEnumerable<BsonDocument> indexes) =>
        _indexes = [.. indexes.Where(index => index.GetValue("unique", false).ToBoolean()).Select(index => new Index(index))];

    /// <summary>What changes of them when a document becomes another one.</summary>
    /// <param name="live">The document.</param>
    /// <param name="copy">The other one.</param>
    /// <returns>Short names of the values that it gives away, and of those that it takes.</returns>
    public (IReadOnlyCollection<UInt128> Given, IReadOnlyCollection<UInt128> Taken) Between(BsonDocument live, BsonDocument copy)
    {
        var (given, taken) = (new HashSet<UInt128>(), new HashSet<UInt128>());
        foreach (var index in _indexes)
        {
            var (has, had) = (index.EntriesOf(live), index.EntriesOf(copy));
            // Whether an index has the document at all may change with its other fields; and which words a collation takes for equal only the server knows.
            var isOther = index.HasCollation
                || index.Conditions.Any(field => live.GetValue(field, BsonUndefined.Value) != copy.GetValue(field, BsonUndefined.Value));
            given.UnionWith(isOther ? has : has.Except(had));
            taken.UnionWith(isOther ? had : had.Except(has));
        }

        return (given, taken);
    }

    private static UInt128 Short(string entry) => BitConverter.ToUInt128(SHA256.HashData(Encoding.UTF8.GetBytes(entry)));

    private static IEnumerable<BsonValue> At(BsonValue value, ReadOnlyMemory<string> path)
    {
        if (value is BsonArray array)
        {
            // Either each element has the rest of the path, or the path names one of them.
            var found = array.Where(item => path.Length == 0 || item is BsonDocument).SelectMany(item => path.Length == 0 ? [item] : At(item, path)).ToList();
            if (path.Length > 0 && int.TryParse(path.Span[0], out var place) && place >= 0 && place < array.Count)
            {
                found.AddRange(At(array[place], path[1..]));
            }

            return found.Count > 0 ? found : [BsonNull.Value];
        }

        return path.Length == 0 ? [value]
            : value is BsonDocument document && document.TryGetValue(path.Span[0], out var inner) ? At(inner, path[1..])
            : [BsonNull.Value];
    }

    private static string Text(BsonValue value, bool hasCollation) => value switch
    {
        // Numbers are equal across their types.
        { IsNumeric: true } => "n" + BitConverter.DoubleToInt64Bits(value.ToDouble() + 0.0),
        BsonUndefined or BsonNull => "null",
        BsonString or BsonSymbol => "s" + (hasCollation ? "" : value.ToString()),
        BsonDocument document => "{" + string.Join(',', document.Select(field => $"{field.Name.Length}:{field.Name}{Text(field.Value, hasCollation)}")) + "}",
        BsonArray array => "[" + string.Join(',', array.Select(item => Text(item, hasCollation))) + "]",
        _ => $"{value.BsonType}{Convert.ToHexString(new BsonDocument("v", value).ToBson())}",
    };

    /// <summary>A unique index.</summary>
    private sealed class Index(BsonDocument listed)
    {
        private readonly string _name = listed["name"].AsString;
        private readonly IReadOnlyList<string[]> _paths = [.. listed["key"].AsBsonDocument.Names.Select(path => path.Split('.'))];

        /// <summary>Whether words are compared as a language has it: any two of them may be equal.</summary>
        public bool HasCollation { get; } = listed.Contains("collation");

        /// <summary>The fields that decide whether it has a document.</summary>
        public IReadOnlyList<string> Conditions { get; } =
            listed.TryGetValue("partialFilterExpression", out var filter) ? [.. FieldsOf(filter).Distinct(StringComparer.Ordinal)] : [];

        /// <summary>Short names of its entries of a document: a field with several values has one for each of them.</summary>
        public HashSet<UInt128> EntriesOf(BsonDocument document)
        {
            IEnumerable<string> entries = [_name];
            foreach (var path in _paths)
            {
                var values = At(document, path).Select(value => Text(value, HasCollation)).Distinct(StringComparer.Ordinal).ToList();
                entries = [.. entries.SelectMany(entry => values.Select(value => entry + '\0' + value))];
            }

            return [.. entries.Select(Short)];
        }

        private static IEnumerable<string> FieldsOf(BsonValue filter) => filter switch
        {
            BsonDocument document => document.SelectMany(field => field.Name.StartsWith('$') ? FieldsOf(field.Value) : [field.Name.Split('.')[0]]),
            BsonArray array => array.SelectMany(FieldsOf),
            _ => [],
        };
    }
}
