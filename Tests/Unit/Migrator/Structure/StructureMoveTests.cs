using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Migrator.Execution;
using Platform.Migrator.Indexes;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Structure;

/// <summary>
/// Versions of generated catalogues, gone through in any order on a server that is a model: each looks the same whichever way it was reached.
/// </summary>
public sealed class StructureMoveTests
{
    private const int Cases = 1000;
    private const int Moves = 8;

    private static readonly string[] s_collections = ["shops", "goods", "bills", "_notes"];
    private static readonly string[] s_fields = ["a", "b", "c"];

    [Fact]
    public void Whichever_way_it_goes_a_version_looks_the_same()
    {
        for (var seed = 0; seed < Cases; seed++)
        {
            var random = new Random(seed);
            IReadOnlyList<IReadOnlyList<CollectionDefinition>> versions =
                [[], .. Enumerable.Range(0, random.Next(2, 6)).Select(_ => Read(Catalogue(random)))];
            var states = States(versions);
            var server = new ModelServer();
            var (at, path) = (0, $"seed {seed}: 0");
            for (var move = 0; move < Moves; move++)
            {
                var to = random.Next(versions.Count);
                for (; at != to; at += Math.Sign(to - at))
                {
                    server.Move(new StructureMove(versions[at], versions[at + Math.Sign(to - at)]));
                }

                path += $" {to}";
                Assert.Equal($"{path}\n{states[to]}", $"{path}\n{server.Text(foreign: false)}");
                if (move == Moves / 2)
                {
                    server.AddForeign();
                }
            }

            // What nobody declared is left alone, as long as its collection is there.
            Assert.Equal(server.Foreign.Order(StringComparer.Ordinal), server.ForeignThere().Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void A_snapshot_is_read_as_it_was_written()
    {
        for (var seed = 0; seed < Cases; seed++)
        {
            var written = CatalogueSnapshot.Write(Read(Catalogue(new Random(seed))));
            Assert.Equal(written, CatalogueSnapshot.Write(CatalogueSnapshot.Read(written)));
        }

        var catalogue = CatalogueSnapshot.Read(CatalogueSnapshot.Write(CollectionCatalogue.All));
        Assert.All(CollectionCatalogue.All.Zip(catalogue), pair =>
        {
            Assert.Equal(pair.First.Validator.ToBson(), pair.Second.Validator.ToBson());
            Assert.Equal(pair.First.Options().ToBson(), pair.Second.Options().ToBson());
            foreach (var server in Enum.GetValues<ServerKind>())
            {
                Assert.Equal(Specifications(pair.First, server), Specifications(pair.Second, server));
            }
        });

        static IEnumerable<string> Specifications(CollectionDefinition definition, ServerKind server) =>
            definition.IndexesFor(server, isTimeSeries: false).Select(index => index.Specification().ToJson());
    }

    [Theory]
    [InlineData("[{ name: 'a', colour: 1 }]", "The snapshot of a has 'colour'")]
    [InlineData("[{ name: 'a', options: { storage: {} } }]", "The snapshot of a has 'storage'")]
    [InlineData("[{ name: 'a', indexes: [{ name: 'i', key: { b: 1 }, sparse: true }] }]", "The snapshot of a.i has 'sparse'")]
    [InlineData("[{ name: 'a', indexes: [{ name: 'i', key: { b: '2d' } }] }]", "2d is no kind of index")]
    public void A_snapshot_with_something_that_this_program_does_not_know_is_refused(string text, string sentence) =>
        Assert.StartsWith(sentence, Assert.Throws<FormatException>(() => CatalogueSnapshot.Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_fits_stands_on_one_line_and_only_long_numbers_say_their_type() => Assert.Equal(
        "{\n  \"a\" : { \"$numberLong\" : \"1\" },\n  \"b\" : [1, 2.0],\n  \"c\" : \"" + new string('x', 150) + "\"\n}\n",
        ReadableJson.Write(new BsonDocument { { "a", 1L }, { "b", new BsonArray { 1, 2.0 } }, { "c", new string('x', 150) } }));

    [Fact]
    public void A_version_without_a_snapshot_looks_like_the_one_before()
    {
        var shipped = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);
        Assert.Empty(MigrationCatalogue.StructureAt(shipped, 0));
        Assert.Same(shipped[0].Structure, MigrationCatalogue.StructureAt(shipped, 1));
        Assert.Same(shipped[0].Structure, MigrationCatalogue.StructureAt(shipped, 2));
        Assert.Same(shipped[2].Structure, MigrationCatalogue.StructureAt(shipped, 3));
        Assert.Equal(CatalogueSnapshot.Write(CollectionCatalogue.All), CatalogueSnapshot.Write(MigrationCatalogue.StructureAt(shipped, shipped.Count)));
    }

    private static IReadOnlyList<string> States(IReadOnlyList<IReadOnlyList<CollectionDefinition>> versions) =>
    [
        .. versions.Select(version =>
        {
            var server = new ModelServer();
            server.Move(new StructureMove([], version));
            return server.Text(foreign: false);
        }),
    ];

    private static IReadOnlyList<CollectionDefinition> Read(BsonArray catalogue) =>
        [.. catalogue.Select(collection => RecordedCollection.Of(collection.AsBsonDocument))];

    private static BsonArray Catalogue(Random random) => new(s_collections.Where(_ => random.Next(4) > 0).Select(name => Collection(random, name)));

    private static BsonDocument Collection(Random random, string name)
    {
        var collection = new BsonDocument("name", name);
        if (name.StartsWith('_'))
        {
            collection.Add("bookkeeping", true);
        }
        else
        {
            collection.Add("validator", new BsonDocument("$jsonSchema", new BsonDocument("required", new BsonArray(s_fields.Take(random.Next(4))))));
        }

        var indexes = s_fields.Where(_ => random.Next(3) > 0).Select(field => Index(random, field)).ToList();
        return collection.Add("indexes", new BsonArray(indexes), indexes.Count > 0);
    }

    private static BsonDocument Index(Random random, string field)
    {
        // Of one name with several keys, and of the same keys with several names.
        var keys = new BsonDocument { { field, random.Next(2) == 0 ? 1 : -1 }, { "d", 1 } };
        var index = new BsonDocument { { "name", $"by_{field}{random.Next(2)}" }, { "key", keys } };
        if (random.Next(3) == 0)
        {
            index.Add("unique", true);
        }

        return index.Add("partialFilterExpression", new BsonDocument("d", random.Next(2)), random.Next(3) == 0);
    }

    // A server that has what it is told, and lists it as a server does.
    private sealed class ModelServer
    {
        private readonly Dictionary<string, (BsonDocument Validator, List<BsonDocument> Indexes)> _collections = new(StringComparer.Ordinal);

        public List<string> Foreign { get; } = [];

        public void AddForeign()
        {
            foreach (var (name, collection) in _collections)
            {
                collection.Indexes.Add(new BsonDocument { { "name", "somebodys" }, { "key", new BsonDocument("somebody", 1) } });
                Foreign.Add(name);
            }
        }

        public IEnumerable<string> ForeignThere() =>
            _collections.Where(collection => collection.Value.Indexes.Exists(index => index["name"] == "somebodys")).Select(collection => collection.Key);

        public void Move(StructureMove move)
        {
            foreach (var change in move.To.SelectMany(definition => CatalogueSynchroniser.Compare(definition, State(), CollectionValidation.Full)))
            {
                // What a version declares otherwise needs nobody's permission.
                Assert.True(change.Index is not { NeedsPermission: true } || move.Declared(change.Index), change.ToString());
                Make(move.To.First(definition => definition.Name == change.Collection), change);
            }

            foreach (var (definition, wanted) in move.Pairs())
            {
                if (State().Collections.GetValueOrDefault(definition.Name) is not { } there)
                {
                    continue;
                }

                if (wanted is null && !definition.IsBookkeeping)
                {
                    _collections.Remove(definition.Name);
                    Foreign.Remove(definition.Name);
                    continue;
                }

                foreach (var index in StructureMove.Outdated(definition, wanted, there).ToList())
                {
                    _collections[definition.Name].Indexes.Remove(index);
                }
            }

            Assert.Empty(move.To.SelectMany(definition => CatalogueSynchroniser.Compare(definition, State(), CollectionValidation.Full)));
        }

        // Notes of programs stay, empty or not.
        public string Text(bool foreign) => string.Join('\n', _collections.OrderBy(collection => collection.Key, StringComparer.Ordinal)
            .Where(collection => !collection.Key.StartsWith('_') || collection.Value.Indexes.Exists(index => foreign || index["name"] != "somebodys"))
            .Select(collection => $"{collection.Key} {collection.Value.Validator} {string.Join(' ', collection.Value.Indexes
                .Where(index => foreign || index["name"] != "somebodys").Select(index => index.ToJson()).Order(StringComparer.Ordinal))}"));

        private void Make(CollectionDefinition definition, StructureChange change)
        {
            var indexes = _collections.GetValueOrDefault(change.Collection).Indexes ?? [];
            switch (change.Kind)
            {
                case StructureChangeKind.CreateCollection or StructureChangeKind.SetValidator:
                    _collections[change.Collection] = (definition.Validator, indexes);
                    break;
                case StructureChangeKind.CreateIndex:
                    indexes.Add(change.Index!.Definition!.Specification());
                    break;
                case StructureChangeKind.ReplaceIndex or StructureChangeKind.RenameIndex:
                    indexes.RemoveAll(index => index["name"] == change.Index!.ExistingName);
                    indexes.Add(change.Index!.Definition!.Specification());
                    break;
                default:
                    Assert.Fail($"{change} is not expected of these catalogues.");
                    break;
            }

            Assert.Equal(indexes.Count, indexes.DistinctBy(index => index["name"]).Count());
        }

        private DatabaseState State() => new(ServerKind.MongoDb, _collections.ToDictionary(collection => collection.Key, collection => new CollectionState
        {
            Name = collection.Key,
            Server = ServerKind.MongoDb,
            Listed = new BsonDocument
            {
                { "name", collection.Key },
                { "type", "collection" },
                { "options", collection.Value.Validator.ElementCount == 0 ? [] : new BsonDocument("validator", collection.Value.Validator) },
            },
            Indexes = [.. collection.Value.Indexes],
        }), []);
    }
}
