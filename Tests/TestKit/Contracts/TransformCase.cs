using System.Globalization;
using MongoDB.Bson;
using Platform.Migrator.Transforms;

namespace Platform.Tests.TestKit.Contracts;

/// <summary>
/// A transform and what it must make of any document, said in another way than the product does it: on the list of all nodes of the
/// document, each with the place where it stands (<c>a[0].b</c>) and the path that leads there (<c>a.b</c>).
/// </summary>
/// <param name="Name">What it does.</param>
/// <param name="Transform">The transform.</param>
/// <param name="Path">Its path.</param>
/// <param name="Type">The type that it converts to; null for none.</param>
/// <param name="Expected">Gives the nodes after, of the nodes before, and whether a part of the document cannot be done.</param>
internal sealed record TransformCase(
    string Name,
    CollectionTransform Transform,
    string Path,
    string? Type,
    Func<TransformCase.Setting, (IReadOnlyList<TransformCase.Node> After, bool HasProblem)> Expected)
{
    private const string Untouched = "rest";

    /// <summary>All kinds of transforms, on a field of the document itself and on paths of two and three parts.</summary>
    /// <param name="collection">The collection.</param>
    public static IReadOnlyList<TransformCase> All(string collection) =>
    [
        Remove(collection, "a"),
        Remove(collection, "a.b"),
        Remove(collection, "a.b.c"),
        Rename(collection, "a", "b"),
        Rename(collection, "a.b", "a.d"),
        Rename(collection, "a.b.c", "a.b.d"),
        Backfill(collection, "b", "d"),
        Backfill(collection, "a.b", "d"),
        Backfill(collection, "a.b.c", "d"),
        ChangeType(collection, "a", "decimal"),
        ChangeType(collection, "a.b", "string"),
        ChangeType(collection, "a.b", "double"),
        ChangeType(collection, "a.b.c", "int"),
        Split(collection, "a", "c", "d"),
        Split(collection, "a.b", "a.c", "a.d"),
        Split(collection, "a.b.c", "a.b.a", "a.b.b"),
    ];

    /// <summary>Documents with arrays in arrays, scalars, nulls and nothing where the paths lead.</summary>
    /// <param name="seed">Which.</param>
    /// <param name="count">How many.</param>
    public static IEnumerable<BsonDocument> Documents(int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var document = new BsonDocument("_id", random.Next(10) switch { 0 => $"key {i}", 1 => i + 0.5, 2 => new BsonDocument("k", i), _ => i });
            document.AddRange(Members(random, 0));
            document.Add(Untouched, Value(random, 0));
            yield return document;
        }
    }

    /// <summary>What is wrong with a document after the transform; null when nothing is.</summary>
    /// <param name="before">The document before.</param>
    /// <param name="after">The document after.</param>
    /// <param name="convert">Converts a value to the type; null when it cannot be.</param>
    public string? FaultOf(BsonDocument before, BsonDocument after, Func<BsonValue, BsonValue?> convert)
    {
        var expected = Expected(new Setting(Flatten(before), before, convert)).After;
        var found = Flatten(after);
        var differs = expected.Zip(found).FirstOrDefault(pair => pair.First != pair.Second);
        return expected.Count == found.Count && differs == default ? null
            : $"{Name}: {before.ToJson()} became {after.ToJson()}; {expected.Count} nodes expected and {found.Count} found, the first that differs is "
                + $"{differs.Second} in place of {differs.First}";
    }

    /// <summary>Whether a part of a document that needs the change cannot be done.</summary>
    public bool HasProblem(BsonDocument before, Func<BsonValue, BsonValue?> convert) => Expected(new Setting(Flatten(before), before, convert)).HasProblem;

    /// <summary>Whether something stands in the way of the path.</summary>
    public bool IsObstructed(BsonDocument before)
    {
        var parts = Path.Split('.');
        return Flatten(before).Any(node => node.IsScalar && node.Value is not (BsonNull or BsonUndefined)
            && Enumerable.Range(1, parts.Length - 1).Any(length => node.Path == string.Join('.', parts[..length])));
    }

    /// <summary>By how many bytes a document may grow at most.</summary>
    public static int MostGrowth(BsonDocument before) => Flatten(before).Count * (64 + before.GetValue("d", BsonNull.Value).ToJson().Length * 2);

    private static TransformCase Remove(string collection, string path) => new(
        $"remove {path}",
        CollectionTransform.Remove("remove", collection, path),
        path,
        null,
        setting => ([.. setting.Nodes.Where(node => !setting.Places(path).Any(node.IsUnder))], false));

    private static TransformCase Rename(string collection, string from, string to) => new(
        $"rename {from} to {to}",
        CollectionTransform.Rename("rename", collection, from, to),
        from,
        null,
        setting =>
        {
            var nodes = setting.Nodes;
            foreach (var owner in setting.Owners(from))
            {
                var (old, renamed) = (Member(owner, from), Member(owner, to));
                if (nodes.Any(node => node.Place == old.Place))
                {
                    nodes = Put(
                        Without(nodes, old), owner, renamed, [.. nodes.Where(node => node.IsUnder(old.Place)).Select(node => node.Moved(old, renamed))]);
                }
            }

            return (nodes, false);
        });

    private static TransformCase Backfill(string collection, string path, string source) => new(
        $"backfill {path} with {source}",
        CollectionTransform.Backfill("backfill", collection, path, "$" + source),
        path,
        null,
        setting =>
        {
            var value = setting.Document.GetValue(source, null);
            var lacking = setting.Owners(path).Where(owner => setting.Nodes.All(node => node.Place != Member(owner, path).Place)).ToList();
            return value is null
                ? (setting.Nodes, lacking.Count > 0)
                : (lacking.Aggregate(setting.Nodes, (nodes, owner) => Put(nodes, owner, Member(owner, path), Flatten(value, Member(owner, path)))), false);
        });

    private static TransformCase ChangeType(string collection, string path, string type) => new(
        $"make {path} a {type}",
        CollectionTransform.ChangeType("type", collection, path, type),
        path,
        type,
        setting =>
        {
            var problem = false;
            var after = setting.Nodes.Select(node =>
            {
                if (node.Path != path || node.Value is BsonArray or BsonNull or BsonUndefined || NameOf(node.Value) == type)
                {
                    return node;
                }

                var converted = node.IsScalar ? setting.Convert(node.Value) : null;
                problem |= converted is null;
                return converted is null ? node : node with { Value = converted, What = WhatOf(converted) };
            }).ToList();
            return (after, problem);
        });

    private static TransformCase Split(string collection, string from, params string[] to) => new(
        $"split {from}",
        CollectionTransform.Split("split", collection, from, to, Halves),
        from,
        null,
        setting =>
        {
            var problem = false;
            var nodes = setting.Nodes;
            foreach (var owner in setting.Owners(from))
            {
                var whole = nodes.FirstOrDefault(node => node.Place == Member(owner, from).Place);
                if (whole is null || to.All(part => nodes.Any(node => node.Place == Member(owner, part).Place)))
                {
                    continue;
                }

                var values = Halves(whole.Value);
                problem |= values is null;
                nodes = values is null
                    ? nodes
                    : to.Zip(values)
                        .Aggregate(nodes, (all, pair) => Put(all, owner, Member(owner, pair.First), Flatten(pair.Second, Member(owner, pair.First))));
            }

            return (nodes, problem);
        });

    private static IReadOnlyList<BsonValue>? Halves(BsonValue value) =>
        value is BsonString { Value.Length: > 1 } text ? [text.Value[..1], new BsonArray { text.Value[1..] }] : null;

    // In place of what is there, else at the owner's end.
    private static List<Node> Put(IReadOnlyList<Node> nodes, Node owner, Node member, IReadOnlyList<Node> values)
    {
        var all = nodes.ToList();
        var at = all.FindIndex(node => node.Place == member.Place);
        if (at < 0)
        {
            at = all.FindLastIndex(node => node.IsUnder(owner.Place)) + 1;
        }

        all.RemoveAll(node => node.IsUnder(member.Place));
        all.InsertRange(Math.Min(at, all.Count), values);
        return all;
    }

    private static IReadOnlyList<Node> Without(IReadOnlyList<Node> nodes, Node member) => [.. nodes.Where(node => !node.IsUnder(member.Place))];

    private static Node Member(Node owner, string path)
    {
        var name = path.Split('.')[^1];
        return new Node(owner.Place == "" ? name : $"{owner.Place}.{name}", path, BsonNull.Value, "");
    }

    private static List<Node> Flatten(BsonValue value, Node? at = null)
    {
        var nodes = new List<Node>();
        Add(value, at?.Place ?? "", at?.Path ?? "");
        return nodes;

        void Add(BsonValue current, string place, string path)
        {
            nodes.Add(new Node(place, path, current, WhatOf(current)));
            if (current is BsonDocument document)
            {
                foreach (var element in document)
                {
                    Add(element.Value, place == "" ? element.Name : $"{place}.{element.Name}", path == "" ? element.Name : $"{path}.{element.Name}");
                }
            }
            else if (current is BsonArray array)
            {
                for (var i = 0; i < array.Count; i++)
                {
                    Add(array[i], string.Create(CultureInfo.InvariantCulture, $"{place}[{i}]"), path);
                }
            }
        }
    }

    private static string WhatOf(BsonValue value) => value switch
    {
        BsonDocument => "{",
        BsonArray => "[",
        _ => Convert.ToHexString(new BsonDocument("v", value).ToBson()),
    };

    private static string NameOf(BsonValue value) => value.BsonType switch
    {
        BsonType.Decimal128 => "decimal",
        BsonType.Int32 => "int",
        var type => type.ToString().ToLowerInvariant(),
    };

    private static List<BsonElement> Members(Random random, int depth)
    {
        string[] names = ["a", "b", "c", "d"];
        random.Shuffle(names);
        return names.Where(_ => random.Next(4) > 0).Select(name => new BsonElement(name, (name, depth, random.Next(2)) switch
        {
            // Paths lead far more often than by chance.
            ("a", 0, _) => random.Next(4) == 0 ? Scalar(random) : Container(random, depth),
            ("b", 1, 0) => Container(random, depth),
            ("b", 1, _) or ("c", 2, _) => random.Next(2) == 0 ? Text(random) : Value(random, depth),
            _ => Value(random, depth),
        })).ToList();
    }

    private static BsonValue Value(Random random, int depth) => depth < 5 && random.Next(3) == 0 ? Container(random, depth) : Scalar(random);

    private static BsonValue Container(Random random, int depth) => random.Next(2) == 0
        ? new BsonDocument(Members(random, depth + 1))
        : new BsonArray(Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(3) == 0 ? Scalar(random) : Container(random, depth)));

    private static BsonValue Text(Random random) => new string[] { "12", "1.50", "much", "", "a b", "-0", "é" }[random.Next(7)];

    private static BsonValue Scalar(Random random) => random.Next(10) switch
    {
        0 or 1 => Text(random),
        2 => random.Next(-1000, 1000),
        3 => (long)random.Next() * 4096,
        4 => new BsonDouble(new double[] { 1.5, -0.0, double.NaN, double.PositiveInfinity, 1e300, 3 }[random.Next(6)]),
        5 => new BsonDecimal128(Decimal128.Parse(new string[] { "1.50", "1E+20", "-0", "7" }[random.Next(4)])),
        6 => random.Next(2) == 0,
        7 => BsonNull.Value,
        8 => new BsonDateTime(random.Next() * 1000L),
        _ => random.Next(4) switch
        {
            0 => new BsonObjectId(new ObjectId(Convert.ToHexString(Bytes(random, 12)))),
            1 => new BsonBinaryData(Bytes(random, 4)),
            2 => new BsonRegularExpression("x" + random.Next(9)),
            _ => new BsonTimestamp(random.Next(), 1),
        },
    };

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>What an expectation is made of.</summary>
    /// <param name="Nodes">The document's nodes.</param>
    /// <param name="Document">The document.</param>
    /// <param name="Convert">Converts a value; null when it cannot be.</param>
    internal sealed record Setting(IReadOnlyList<Node> Nodes, BsonDocument Document, Func<BsonValue, BsonValue?> Convert)
    {
        /// <summary>Where the fields stand that a path leads to.</summary>
        public IReadOnlyList<string> Places(string path) => [.. Nodes.Where(node => node.Path == path && !node.Place.EndsWith(']')).Select(node => node.Place)];

        /// <summary>The documents that a path's last part belongs to.</summary>
        public IEnumerable<Node> Owners(string path)
        {
            var parents = path.Contains('.') ? path[..path.LastIndexOf('.')] : "";
            return Nodes.Where(node => node.Path == parents && node.Value is BsonDocument);
        }
    }

    /// <summary>A value somewhere in a document.</summary>
    /// <param name="Place">Where it stands, with the numbers of array elements.</param>
    /// <param name="Path">The path that leads there: without them.</param>
    /// <param name="Value">The value.</param>
    /// <param name="What">Its bytes, or which kind of container it is.</param>
    internal sealed record Node(string Place, string Path, BsonValue Value, string What)
    {
        public bool IsScalar => Value is not (BsonDocument or BsonArray);

        public bool IsUnder(string place) =>
            Place == place || place == "" || (Place.StartsWith(place, StringComparison.Ordinal) && Place[place.Length] is '.' or '[');

        public Node Moved(Node from, Node to) => this with { Place = to.Place + Place[from.Place.Length..], Path = to.Path + Path[from.Path.Length..] };

        public bool Equals(Node? other) => other is not null && (Place, Path, What) == (other.Place, other.Path, other.What);

        public override int GetHashCode() => HashCode.Combine(Place, Path, What);
    }
}
