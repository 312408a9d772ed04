using MongoDB.Bson;
using Platform.Backup.Engines;
using Platform.Backup.InPlace;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>The order in which a restore in place writes, against a collection in memory that holds to its unique indexes at each write.</summary>
public sealed class RestorePlanTests
{
    private const string Name = "c";

    private static readonly BsonDocument[] s_indexes =
    [
        BsonDocument.Parse("{ name: 'sku', key: { sku: 1 }, unique: true }"),
        BsonDocument.Parse("{ name: 'shelf', key: { 'place.shelf': 1, 'place.number': 1 }, unique: true }"),
        BsonDocument.Parse("{ name: 'codes', key: { codes: 1 }, unique: true, partialFilterExpression: { active: true } }"),
    ];

    [Fact]
    public void Whatever_was_exchanged_is_written_back_in_an_order_that_no_unique_index_refuses()
    {
        var (exchanged, killed, longest) = (0, 0, 0);
        for (var seed = 0; seed < 10_000; seed++)
        {
            var random = new Random(seed);
            var (copy, live) = (new Model(), new Model());
            copy.Fill(random);
            copy.CopyTo(live);
            live.Disturb(random);
            var expected = copy.Text();
            for (var attempt = 0; live.Text() != expected; attempt++)
            {
                Assert.True(attempt < 20, $"Seed {seed} does not converge.");
                using var plan = PlanOf(live, copy);
                var batches = Enum.GetValues<RestoreStep>().SelectMany(step => plan.Batches(step, 1 + (seed % 3)).Select(batch => (step, batch))).ToList();
                // Killed between two batches, as often as not.
                var end = random.Next(2) == 0 ? batches.Count : random.Next(1, batches.Count + 1);
                killed += end < batches.Count ? 1 : 0;
                foreach (var (step, batch) in batches.Take(end))
                {
                    exchanged += batch.Groups.Count;
                    longest = Math.Max(longest, batch.Groups.Select(group => group.Documents.Count).Append(0).Max());
                    live.Write(step, batch, copy);
                }
            }
        }

        // The cases are worth their name.
        Assert.True(exchanged > 10_000 && killed > 1_000 && longest > 2, $"{exchanged} exchanges, {killed} ends, rings of up to {longest}");
    }

    [Fact]
    public void A_long_chain_is_written_from_its_end_and_not_together()
    {
        var (live, copy) = (new Model(), new Model());
        for (var i = 0; i < 3_000; i++)
        {
            live.Put(new BsonDocument { ["_id"] = i, ["sku"] = i + 1, ["place"] = new BsonDocument { ["shelf"] = "s", ["number"] = i } });
            copy.Put(new BsonDocument { ["_id"] = i, ["sku"] = i, ["place"] = new BsonDocument { ["shelf"] = "s", ["number"] = i } });
        }

        using var plan = PlanOf(live, copy);
        var batches = plan.Batches(RestoreStep.Replace, 100).ToList();
        Assert.Equal(30, batches.Count);
        Assert.All(batches.SelectMany(batch => batch.Groups), group => Assert.Single(group.Documents));
        batches.ForEach(batch => live.Write(RestoreStep.Replace, batch, copy));
        Assert.Equal(copy.Text(), live.Text());
    }

    [Theory]
    [InlineData("{ sku: 1 }", "{ sku: NumberLong(1) }", true)]
    [InlineData("{ sku: 1 }", "{ sku: NumberDecimal('1.0') }", true)]
    [InlineData("{ sku: 1 }", "{ sku: '1' }", false)]
    [InlineData("{ sku: null }", "{ }", true)]
    [InlineData("{ sku: { a: 1 } }", "{ sku: { a: 1.0 } }", true)]
    [InlineData("{ place: [{ shelf: 'a', number: 1 }] }", "{ place: { shelf: 'a', number: 1.0 } }", true)]
    [InlineData("{ place: { shelf: 'a' } }", "{ place: { shelf: 'a', number: 1 } }", false)]
    public void Values_that_the_server_takes_for_equal_are_equal(string one, string other, bool isSame)
    {
        var (given, taken) = new UniqueValues(s_indexes).Between(BsonDocument.Parse(one), BsonDocument.Parse(other));
        Assert.Equal((isSame, isSame), (given.Count == 0, taken.Count == 0));
    }

    [Fact]
    public void However_many_documents_share_a_value_takes_no_more_memory_than_the_documents()
    {
        const int Documents = 20_000;
        var exchanges = new Exchanges();
        for (var key = 0; key < Documents; key++)
        {
            exchanges.Add(key, [], [7], [7]);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var ring = Assert.Single(exchanges.InOrder());
        Assert.Equal((Documents, 0), (ring.Documents.Count, ring.After.Count));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000L * Documents);
    }

    [Fact]
    public void With_a_collation_all_words_may_be_equal_and_numbers_may_not()
    {
        var values = new UniqueValues([BsonDocument.Parse("{ name: 'n', key: { n: 1 }, unique: true, collation: { locale: 'en', strength: 1 } }")]);
        var words = values.Between(new BsonDocument("n", "Café"), new BsonDocument("n", "tea"));
        Assert.Equal(words.Given, values.Between(new BsonDocument("n", "CAFE"), new BsonDocument("n", 1)).Given);
        Assert.Equal(words.Given, words.Taken);
        Assert.NotEqual(words.Given, values.Between(new BsonDocument("n", 1), new BsonDocument("n", 1)).Given);
    }

    [Fact]
    public void A_collection_that_has_become_another_one_in_what_no_command_changes_is_refused()
    {
        var was = new CollectionStructure(BsonDocument.Parse("{ collation: { locale: 'de' }, validator: { a: 1 } }"), []);
        var refused = Assert.Throws<BackupException>(() => was.ChangeOf("words", new CollectionStructure([], [])));
        Assert.StartsWith("words is there with other options ({ }, not { \"collation\"", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_collection_lacks_of_what_it_was_comes_back_and_what_it_has_beside_stays()
    {
        var was = new CollectionStructure(BsonDocument.Parse("{ validator: { a: 1 } }"), s_indexes);
        Assert.Equal((was.Options, 3), (was.ChangeOf("c", null).Created, was.ChangeOf("c", null).Indexes.Count));
        Assert.False(was.ChangeOf("c", was).IsNeeded);
        var change = was.ChangeOf("c", new CollectionStructure(
            BsonDocument.Parse("{ validationLevel: 'moderate', validationAction: 'error' }"),
            [s_indexes[0], BsonDocument.Parse("{ name: 'shelf', key: { shelf: 1 } }"), BsonDocument.Parse("{ name: 'new', key: { n: 1 } }")]));
        Assert.Equal(BsonDocument.Parse("{ validator: { a: 1 }, validationLevel: 'strict' }"), change.Modified);
        Assert.Equal([s_indexes[2]], change.Indexes);
        Assert.Equal(["new", "shelf"], change.LeftAlone.Order(StringComparer.Ordinal));
        Assert.Equal(3, change.Sentences().Count());
    }

    private static RestorePlan PlanOf(Model live, Model copy)
    {
        var plan = new RestorePlan(Path.GetTempPath());
        var unique = new UniqueValues(s_indexes);
        foreach (var key in live.Keys.Union(copy.Keys))
        {
            plan.Add(Name, live.Find(key), copy.Find(key), unique);
        }

        return plan;
    }

    /// <summary>A collection with the unique indexes, which it knows in its own way.</summary>
    private sealed class Model
    {
        private readonly Dictionary<BsonValue, BsonDocument> _documents = [];

        public IEnumerable<BsonValue> Keys => _documents.Keys;

        public BsonDocument? Find(BsonValue key) => _documents.GetValueOrDefault(key);

        public string Text() => string.Join('\n', _documents.OrderBy(entry => entry.Key).Select(entry => entry.Value.ToJson()));

        public void CopyTo(Model other) => _documents.Values.ToList().ForEach(document => other.Put(document.DeepClone().AsBsonDocument));

        /// <summary>Writes a document; fails when an index refuses it.</summary>
        public void Put(BsonDocument document) => Assert.True(TryPut(document), $"A unique index refuses {document}.");

        public void Fill(Random random)
        {
            for (var key = 0; key < 8; key++)
            {
                if (random.Next(4) > 0)
                {
                    TryPut(New(key, random));
                }
            }
        }

        /// <summary>Changes, removes and adds documents, in ways that the indexes allow; exchanges values above all.</summary>
        public void Disturb(Random random)
        {
            for (var i = random.Next(1, 12); i > 0; i--)
            {
                var key = random.Next(8);
                switch (random.Next(4))
                {
                    case 0:
                        _documents.Remove(key);
                        break;
                    case 1:
                        TryPut(New(key, random));
                        break;
                    default:
                        Exchange([.. _documents.Keys.OrderBy(_ => random.Next()).Take(random.Next(2, 5))], random.Next(3));
                        break;
                }
            }
        }

        public void Write(RestoreStep step, RestoreBatch batch, Model copy)
        {
            if (batch.Groups.Count > 0)
            {
                Assert.Equal(RestoreStep.Replace, step);
                Assert.Equal(batch.Documents.Keys.Order(), batch.Groups.SelectMany(group => group.Documents.Keys).Order());
            }

            var groups = batch.Groups.Count > 0 ? batch.Groups.Select(group => group.Documents.Keys) : batch.Documents.Keys.Select(key => (BsonValue[])[key]);
            foreach (var group in groups)
            {
                if (step == RestoreStep.Delete || group.Count() > 1)
                {
                    group.ToList().ForEach(key => Assert.True(_documents.Remove(key)));
                }

                if (step != RestoreStep.Delete)
                {
                    group.ToList().ForEach(key => Put(copy._documents[key]));
                }
            }
        }

        private void Exchange(List<BsonValue> keys, int what)
        {
            if (keys.Count < 2)
            {
                return;
            }

            string[] fields = what switch { 0 => ["sku"], 1 => ["place"], _ => ["codes", "active"] };
            var before = keys.ConvertAll(key => _documents[key]);
            keys.ForEach(key => _documents.Remove(key));
            var after = before.Select((document, i) =>
            {
                var other = before[(i + 1) % before.Count];
                var changed = document.DeepClone().AsBsonDocument;
                foreach (var field in fields)
                {
                    changed[field] = other[field];
                }

                return changed;
            }).ToList();
            if (!after.TrueForAll(TryPut))
            {
                keys.ForEach(key => _documents.Remove(key));
                before.ForEach(Put);
            }
        }

        private bool TryPut(BsonDocument document)
        {
            var clashes = _documents.Values.Any(other => other["_id"] != document["_id"] && (
                other["sku"] == document["sku"]
                || other["place"] == document["place"]
                || (IsIndexed(other) && IsIndexed(document) && other["codes"].AsBsonArray.Intersect(document["codes"].AsBsonArray).Any())));
            if (!clashes)
            {
                _documents[document["_id"]] = document;
            }

            return !clashes;
        }

        private static bool IsIndexed(BsonDocument document) => document.Contains("codes") && document["active"].AsBoolean;

        private static BsonDocument New(int key, Random random) => new()
        {
            ["_id"] = key, ["sku"] = random.Next(10), ["place"] = new BsonDocument { ["shelf"] = "ab"[random.Next(2)].ToString(), ["number"] = random.Next(6) },
            ["codes"] = new BsonArray(Enumerable.Range(0, random.Next(1, 3)).Select(_ => random.Next(12)).Distinct()), ["active"] = random.Next(2) == 0,
            ["text"] = random.Next(3),
        };
    }
}
