using MongoDB.Bson;
using Platform.Gateway.ChangeStreams;
using Platform.Wire.Bson;
using Xunit;

namespace Platform.Tests.Unit.Gateway.ChangeStreams;

public sealed class UpdateDescriptionTests
{
    [Theory]
    [InlineData("{a: 1}", "{a: 2}", "{updatedFields: {a: 2}, removedFields: [], truncatedArrays: []}")]
    [InlineData("{a: 1}", "{a: NumberLong(1)}", "{updatedFields: {a: NumberLong(1)}, removedFields: [], truncatedArrays: []}")]
    [InlineData("{a: 1, b: 2}", "{b: 2, c: 3}", "{updatedFields: {c: 3}, removedFields: ['a'], truncatedArrays: []}")]
    [InlineData(
        "{a: {b: {c: 1, d: 'much more than this'}}}", "{a: {b: {c: 2, d: 'much more than this'}}}",
        "{updatedFields: {'a.b.c': 2}, removedFields: [], truncatedArrays: []}")]
    [InlineData(
        "{a: [1, 2, 3, 4, 5, 6]}", "{a: [1, 2, 3, 4, 5, 6, 7]}", "{updatedFields: {'a.6': 7}, removedFields: [], truncatedArrays: []}")]
    [InlineData(
        "{a: [1, 2, 3]}", "{a: [1, 2]}", "{updatedFields: {}, removedFields: [], truncatedArrays: [{field: 'a', newSize: 2}]}")]
    [InlineData("{a: [1, 2, 3]}", "{a: [4, 5, 6]}", "{updatedFields: {a: [4, 5, 6]}, removedFields: [], truncatedArrays: []}")]
    [InlineData("{a: {x: 1, y: 2}}", "{a: {y: 2, x: 1}}", "{updatedFields: {a: {y: 2, x: 1}}, removedFields: [], truncatedArrays: []}")]
    public void It_says_what_differs(string before, string after, string expected) => Assert.Equal(
        BsonDocument.Parse(expected), new RawDocument(UpdateDescription.Of(Raw(before), Raw(after)).Document).ToTree());

    [Fact]
    public void Paths_that_could_mean_two_things_are_told_apart_on_demand()
    {
        var update = UpdateDescription.Of(
            Raw("{a: {'0': 1, 'b.c': 1, long: 'long enough that it is not written anew'}, list: [{'1': 1, long: 'long enough, too, for that'}]}"),
            Raw("{a: {'0': 2, 'b.c': 2, long: 'long enough that it is not written anew'}, list: [{'1': 2, long: 'long enough, too, for that'}]}"));
        Assert.Equal(
            BsonDocument.Parse("{'a.0': ['a', '0'], 'a.b.c': ['a', 'b.c'], 'list.0.1': ['list', 0, '1']}"),
            new RawDocument(update.Disambiguated).ToTree()["disambiguatedPaths"]);
    }

    [Fact]
    public void Applied_to_the_document_before_it_makes_the_document_after()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var before = Document(random, 0);
            var after = (BsonDocument)Changed(before, random, 0);
            var update = new RawDocument(UpdateDescription.Of(before.ToRaw(), after.ToRaw()).Disambiguated).ToTree();
            var made = before.DeepClone().AsBsonDocument;
            foreach (var cut in update["truncatedArrays"].AsBsonArray)
            {
                var array = At(made, Parts(update, cut["field"].AsString)).AsBsonArray;
                while (array.Count > cut["newSize"].AsInt32)
                {
                    array.RemoveAt(array.Count - 1);
                }
            }

            foreach (var field in update["updatedFields"].AsBsonDocument)
            {
                Set(made, Parts(update, field.Name), field.Value);
            }

            foreach (var path in update["removedFields"].AsBsonArray)
            {
                var parts = Parts(update, path.AsString);
                At(made, parts[..^1]).AsBsonDocument.Remove(parts[^1].AsString);
            }

            Assert.True(Sorted(made).Equals(Sorted(after)), $"Seed {seed}: {before} to {after} gave {update} and made {made}.");
        }
    }

    private static ReadOnlyMemory<byte> Raw(string json) => BsonDocument.Parse(json).ToRaw();

    private static BsonValue[] Parts(BsonDocument update, string path) => update["disambiguatedPaths"].AsBsonDocument.TryGetValue(path, out var parts)
        ? [.. parts.AsBsonArray]
        : [.. path.Split('.').Select(part => (BsonValue)part)];

    private static BsonValue At(BsonValue from, IEnumerable<BsonValue> parts) =>
        parts.Aggregate(from, (at, part) => at is BsonArray array ? array[Index(part)] : at.AsBsonDocument[part.AsString]);

    private static void Set(BsonDocument document, BsonValue[] parts, BsonValue value)
    {
        var parent = At(document, parts[..^1]);
        if (parent is not BsonArray array)
        {
            parent.AsBsonDocument[parts[^1].AsString] = value;
        }
        else if (Index(parts[^1]) == array.Count)
        {
            array.Add(value);
        }
        else
        {
            array[Index(parts[^1])] = value;
        }
    }

    private static int Index(BsonValue part) => part.IsInt32 ? part.AsInt32 : int.Parse(part.AsString, System.Globalization.CultureInfo.InvariantCulture);

    private static BsonValue Sorted(BsonValue value) => value switch
    {
        BsonDocument document => new BsonDocument(document.OrderBy(f => f.Name, StringComparer.Ordinal).Select(f => new BsonElement(f.Name, Sorted(f.Value)))),
        BsonArray array => new BsonArray(array.Select(Sorted)),
        _ => value,
    };

    private static BsonDocument Document(Random random, int depth)
    {
        string[] names = ["a", "b", "0", "1", "c.d", "e"];
        return new BsonDocument(names.Where(_ => random.Next(2) == 0).Select(name => new BsonElement(name, Value(random, depth))));
    }

    private static BsonValue Value(Random random, int depth) => random.Next(depth < 3 ? 6 : 3) switch
    {
        0 => random.Next(3),
        1 => new string('x', random.Next(30)),
        2 => BsonNull.Value,
        3 => new BsonArray(Enumerable.Range(0, random.Next(5)).Select(_ => Value(random, depth + 1))),
        _ => Document(random, depth + 1),
    };

    private static BsonValue Changed(BsonValue value, Random random, int depth)
    {
        if (depth > 0 && random.Next(6) == 0)
        {
            return Value(random, depth);
        }

        switch (value)
        {
            case BsonDocument document:
                var fields = document.Where(_ => random.Next(8) > 0).Select(f => new BsonElement(f.Name, Changed(f.Value, random, depth + 1))).ToList();
                if (random.Next(4) == 0 && !fields.Exists(f => f.Name == "new"))
                {
                    fields.Insert(random.Next(fields.Count + 1), new BsonElement("new", Value(random, depth + 1)));
                }

                return new BsonDocument(fields);
            case BsonArray array:
                var elements = array.Select(e => Changed(e, random, depth + 1)).Take(random.Next(4) == 0 ? array.Count / 2 : array.Count).ToList();
                elements.AddRange(Enumerable.Range(0, random.Next(3)).Select(_ => Value(random, depth + 1)));
                return new BsonArray(elements);
            default:
                return value;
        }
    }
}
