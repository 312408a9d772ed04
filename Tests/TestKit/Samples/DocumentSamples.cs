using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Catalogue;
using Platform.Data.Rules;

namespace Platform.Tests.TestKit.Samples;

/// <summary>
/// Documents for tests, made from the rules of a collection: ones that obey, one that breaks each rule, and ones that were
/// changed at random. The same seed gives the same documents. Not safe for use by several threads.
/// </summary>
/// <param name="collection">The collection.</param>
/// <param name="seed">Where the random numbers begin.</param>
public sealed partial class DocumentSamples(CollectionDefinition collection, int seed)
{
    // Characters of one to four bytes in UTF-8; lengths are counted in characters.
    private static readonly string[] s_alphabet = ["a", "b", "Z", "0", "9", " ", "-", "'", "é", "ß", "汉", "😀"];

    private static readonly Dictionary<string, PatternSampler> s_samplers = new(StringComparer.Ordinal);

    private readonly Random _random = new(seed);

    private SchemaNode Schema => collection.Rules.Schema;

    /// <summary>A document that obeys all rules. Values at the limits are as frequent as others.</summary>
    public BsonDocument Valid()
    {
        var document = Object(Schema);
        foreach (var rule in collection.Rules.CrossField)
        {
            CrossFieldSample.Of(rule).Repair(document, _random);
        }

        return collection.Computed.Count > 0 && _random.Next(2) == 0 ? AsWritten(document) : document;
    }

    /// <summary>One document for each rule of the collection that breaks it: no other rule, except where the other is broken by necessity.</summary>
    public IEnumerable<InvalidSample> OnePerRule()
    {
        foreach (var rule in collection.Rules.Fields)
        {
            var document = Valid();
            Break(document, rule);
            yield return new InvalidSample(rule.Path, rule.Code, document);
        }

        for (var i = 0; i < collection.Rules.CrossField.Count; i++)
        {
            var document = Valid();
            BreakCrossField(document, i);
            yield return new InvalidSample(collection.Rules.CrossField[i].Path, collection.Rules.CrossField[i].Code, document);
        }
    }

    /// <summary>
    /// A document with up to three random changes: a broken rule, a value of any type in any place, a value at a limit, a member
    /// too many or too few. It may still obey.
    /// </summary>
    public BsonDocument Changed()
    {
        var document = Valid();
        for (var changes = _random.Next(0, 4); changes > 0; changes--)
        {
            switch (_random.Next(4))
            {
                case 0 when collection.Rules.CrossField.Count > 0 && changes == 1 && collection.Rules.Evaluate(document).Count == 0:
                    BreakCrossField(document, _random.Next(collection.Rules.CrossField.Count));
                    break;
                case 0 or 1:
                    Break(document, Pick(collection.Rules.Fields));
                    break;
                case 2:
                    Locate(document, Pick(collection.Rules.Fields).Path)?.Replace(Anything());
                    break;
                default:
                    if (Locate(document, Pick(collection.Rules.Fields).Path) is { } place)
                    {
                        place.Replace(Value(place.Node));
                    }

                    break;
            }
        }

        return document;
    }

    // With the values that programs of ours compute, where those drawn are any that obey.
    private BsonDocument AsWritten(BsonDocument document) =>
        BsonSerializer.Deserialize(document, collection.DocumentType).ToBsonDocument(collection.DocumentType);

    private T Pick<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];

    private BsonDocument Object(SchemaNode node)
    {
        var document = new BsonDocument();
        foreach (var (name, property) in node.Properties)
        {
            if (node.Required.Contains(name) || _random.Next(10) < 7)
            {
                document.Add(name, Value(property));
            }
        }

        return document;
    }

    private BsonValue Value(SchemaNode node)
    {
        if (node.Enum is not null)
        {
            return Pick(node.Enum);
        }

        return node.IsNumber ? Number(node, "double") : node.BsonType switch
        {
            "object" => Object(node),
            "array" => List(node),
            "objectId" => CrossFieldSample.RandomId(_random),
            "string" => Text(node, node.MinLength ?? 0, node.MaxLength ?? 40),
            "bool" => _random.Next(2) == 0,
            "date" => new BsonDateTime(_random.NextInt64(0, 4_000_000_000_000)),
            var type => Number(node, type!),
        };
    }

    private BsonArray List(SchemaNode node)
    {
        if (node.Tuple.Count > 0)
        {
            return [.. node.Tuple.Select(Value)];
        }

        var least = node.MinItems ?? 0;
        var most = node.MaxItems ?? 5;
        var count = _random.Next(10) switch { 0 => least, 1 => most, _ => _random.Next(least, Math.Min(most, least + 5) + 1) };
        var list = new BsonArray();
        while (list.Count < count)
        {
            Append(list, node);
        }

        return list;
    }

    private void Append(BsonArray list, SchemaNode node)
    {
        var item = Value(node.Items!);
        while (node.UniqueItems && list.Contains(item))
        {
            item = Value(node.Items!);
        }

        list.Add(item);
    }

    private string Text(SchemaNode node, int least, int most)
    {
        if (node.Pattern is not null)
        {
            lock (s_samplers)
            {
                if (!s_samplers.TryGetValue(node.Pattern, out var sampler))
                {
                    s_samplers.Add(node.Pattern, sampler = PatternSampler.Parse(node.Pattern));
                }

                return sampler.Sample(_random, least, most);
            }
        }

        // Long texts are rare, since they cost time and only their limits are of interest.
        var length = _random.Next(20) switch { 0 or 1 => least, 2 => most, _ => _random.Next(least, Math.Min(most, least + 30) + 1) };
        var text = new StringBuilder();
        for (var i = 0; i < length; i++)
        {
            text.Append(Pick(s_alphabet));
        }

        return text.ToString();
    }

    private BsonValue Number(SchemaNode node, string type)
    {
        var least = node.Minimum is null ? -1_000_000m : ToDecimal(node.Minimum);
        var most = node.Maximum is null ? (type is "int" ? int.MaxValue : 1_000_000_000_000m) : ToDecimal(node.Maximum);
        var value = _random.Next(10) switch
        {
            0 => least,
            1 => most,
            _ => least + ((decimal)_random.NextDouble() * (Math.Min(most, least + 100_000m) - least)),
        };
        return Of(type, value);
    }

    private static BsonValue Of(string type, decimal value) => type switch
    {
        "int" => (int)decimal.Floor(value),
        "long" => (long)decimal.Floor(value),
        "double" => (double)value,
        _ => new BsonDecimal128(decimal.Round(value, 2)),
    };

    private static decimal ToDecimal(BsonValue limit) => decimal.Parse(limit.ToString()!, NumberStyles.Float, CultureInfo.InvariantCulture);

    private BsonValue Anything() => _random.Next(14) switch
    {
        0 => BsonNull.Value,
        1 => "",
        2 => "x",
        3 => new string('y', _random.Next(1, 300)),
        4 => _random.Next(-5, 20),
        5 => (long)_random.Next(-5, 20),
        6 => _random.NextDouble() * 200,
        7 => double.NaN,
        8 => new BsonDecimal128(Decimal128.QNaN),
        9 => new BsonDecimal128(Decimal128.PositiveInfinity),
        10 => new BsonArray { 1, "x", new BsonDocument("y", 2) },
        11 => new BsonDocument("z", 1),
        12 => _random.Next(2) == 0,
        _ => new BsonDecimal128(_random.Next(-5, 5)),
    };

    private void BreakCrossField(BsonDocument document, int index)
    {
        var rules = collection.Rules.CrossField;
        CrossFieldSample.Of(rules[index]).Break(document, _random);
        for (var i = index + 1; i < rules.Count; i++)
        {
            CrossFieldSample.Of(rules[i]).Repair(document, _random);
        }
    }

    private void Break(BsonDocument document, FieldRule rule)
    {
        if (Locate(document, rule.Path) is not { } place)
        {
            return;
        }

        var node = place.Node;
        switch (rule.Code)
        {
            case RuleCodes.Required:
                place.Remove();
                break;
            case RuleCodes.Type:
                place.Replace(node.BsonType == "string" ? 7 : "seven");
                break;
            case RuleCodes.Enum:
                place.Replace("none of these");
                break;
            case RuleCodes.Minimum:
                place.Replace(Of(node.BsonType ?? "double", ToDecimal(node.Minimum!) - (node.BsonType == "int" ? 1 : 0.01m)));
                break;
            case RuleCodes.Maximum:
                place.Replace(Of(node.BsonType ?? "double", ToDecimal(node.Maximum!) + (node.BsonType == "int" ? 1 : 0.01m)));
                break;
            case RuleCodes.MinLength:
                place.Replace(new string('m', node.MinLength!.Value - 1));
                break;
            case RuleCodes.MaxLength:
                place.Replace(
                    node.Pattern is null ? new string('汉', node.MaxLength!.Value + 1) : Text(node, node.MaxLength!.Value + 1, node.MaxLength.Value + 20));
                break;
            case RuleCodes.Pattern:
                place.Replace(OfOtherForm(node));
                break;
            case RuleCodes.MinItems:
                Set(place, list => list.Count < node.MinItems, list => list.RemoveAt(list.Count - 1));
                break;
            case RuleCodes.MaxItems:
                // Of a tuple all entries beyond the last are free.
                Set(place, list => list.Count > node.MaxItems, list =>
                {
                    if (node.Tuple.Count > 0)
                    {
                        list.Add(0);
                    }
                    else
                    {
                        Append(list, node);
                    }
                });
                break;
            case RuleCodes.UniqueItems:
                Set(place, list => list.Count >= 1, list => Append(list, node));
                Set(place, list => list.Count < (node.MaxItems ?? int.MaxValue), list => list.RemoveAt(list.Count - 1));
                place.Value.AsBsonArray.Add(place.Value.AsBsonArray[0]);
                break;
            case RuleCodes.AdditionalProperties:
                place.Value.AsBsonDocument.Add("unheardOf", 1);
                break;
            default:
                throw new NotSupportedException($"There is no sample that breaks the rule {rule.Code}.");
        }
    }

    private static string OfOtherForm(SchemaNode node)
    {
        string[] candidates = ["x", "XX", "XXX", "x-", "X y", "a b@c", "EUR\n", "xx\n", "a@b\n"];
        var form = new Regex(node.Pattern!, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        return candidates.First(text => !form.IsMatch(text) && text.Length >= (node.MinLength ?? 0) && text.Length <= (node.MaxLength ?? int.MaxValue));
    }

    private static void Set(Place place, Func<BsonArray, bool> enough, Action<BsonArray> change)
    {
        var list = place.Value.AsBsonArray;
        while (!enough(list))
        {
            change(list);
        }
    }

    [GeneratedRegex(@"[^.\[\]]+|\[\d*\]")]
    private static partial Regex Steps();

    // Goes down a path, making what is optional and missing; null when an earlier change has put something else in the way.
    private Place? Locate(BsonDocument document, string path)
    {
        var place = new Place(document, null, -1, Schema, document);
        foreach (var step in Steps().Matches(path).Select(match => match.Value))
        {
            switch (place.Value)
            {
                case BsonDocument parent when step[0] != '[' && place.Node.Property(step) is { } member:
                    if (!parent.Contains(step))
                    {
                        parent.Add(step, Value(member));
                    }

                    place = new Place(parent, step, -1, member, parent[step]);
                    break;
                case BsonArray list when step[0] == '[':
                    if (step == "[]" && list.Count == 0)
                    {
                        Append(list, place.Node);
                    }

                    var index = step == "[]" ? _random.Next(list.Count) : int.Parse(step[1..^1], CultureInfo.InvariantCulture);
                    if (index >= list.Count || place.Node.Item(index) is not { } item)
                    {
                        return null;
                    }

                    place = new Place(list, null, index, item, list[index]);
                    break;
                default:
                    return null;
            }
        }

        return place.Fits ? place : null;
    }

    /// <summary>A value in a document, and what is asked of it.</summary>
    private sealed record Place(BsonValue Parent, string? Name, int Index, SchemaNode Node, BsonValue Value)
    {
        /// <summary>Whether the value still has the type that changes rely on.</summary>
        public bool Fits =>
            Node.BsonType is not ("array" or "object") || Value.IsBsonArray && Node.BsonType == "array" || Value.IsBsonDocument && Node.BsonType == "object";

        public void Replace(BsonValue value)
        {
            if (Name is not null)
            {
                Parent[Name] = value;
            }
            else
            {
                Parent[Index] = value;
            }
        }

        public void Remove() => Parent.AsBsonDocument.Remove(Name);
    }
}
