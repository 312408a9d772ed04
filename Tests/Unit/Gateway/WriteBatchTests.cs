using System.Security.Cryptography;
using MongoDB.Bson;
using Platform.Gateway.Commands.Writes;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Messages;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>How the statements of a command are shared out among transactions, and what makes two <c>_id</c>s one key.</summary>
public sealed class WriteBatchTests
{
    [Theory]
    [InlineData("1", "1.0", true)]
    [InlineData("1", "NumberLong(1)", true)]
    [InlineData("1.50", "NumberDecimal('1.5')", true)]
    [InlineData("0.0", "-0.0", true)]
    [InlineData("0", "NumberDecimal('-0.000')", true)]
    [InlineData("NaN", "NumberDecimal('NaN')", true)]
    [InlineData("{a: 1, b: [2]}", "{a: 1.0, b: [NumberLong(2)]}", true)]
    [InlineData("{a: 1}", "{b: 1}", false)]
    [InlineData("[1]", "{'0': 1}", false)]
    [InlineData("[[1], 2]", "[[1, 2]]", false)]
    [InlineData("1", "2", false)]
    [InlineData("'1'", "1", false)]
    [InlineData("'a'", "'b'", false)]
    [InlineData("true", "1", false)]
    public void Equal_keys_hash_alike_and_others_do_not(string left, string right, bool equal)
    {
        Assert.Equal(equal, Hash(left).AsSpan().SequenceEqual(Hash(right)));

        static byte[] Hash(string key)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Assert.True(new RawDocument(BsonDocument.Parse($"{{k: {key}}}").ToBson()).TryGet("k"u8, out var element));
            DocumentKey.AppendTo(hash, element);
            return hash.GetHashAndReset();
        }
    }

    [Theory]
    [InlineData("[1, 2, 3]", true, "3")]
    [InlineData("[1, 2.5, 2.5, NumberLong(3)]", true, "4")]
    [InlineData("[3, 1, 2]", true, "1 2")]
    [InlineData("[3, 1, 2]", false, "3")]
    [InlineData("[3, {$gt: 1}, 2]", false, "1 1 1")]
    [InlineData("['b', 'a', 1]", true, "1 1 1")]
    public void Runs_go_through_documents_in_ascending_order(string keys, bool ordered, string runs)
    {
        var updates = BsonDocument.Parse($"{{k: {keys}}}")["k"].AsBsonArray.Select(id => new BsonDocument
        {
            { "q", new BsonDocument("_id", id) }, { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) },
        });
        var command = new BsonDocument { { "update", "c" }, { "updates", new BsonArray(updates) }, { "ordered", ordered } };

        Assert.Equal(runs, string.Join(' ', Runs(WriteBatch.Of("updates", new RawDocument(command.ToBson()), null, inTransaction: false)!)));
    }

    [Theory]
    [InlineData("{q: {_id: 2}, u: {$set: {a: 1}}, unknown: 1}")]
    [InlineData("{q: {_id: 2}}")]
    [InlineData("{q: 5, u: {}}")]
    [InlineData("{q: {_id: 2}, u: 5}")]
    [InlineData("{q: {_id: 2}, u: {$set: {a: 1}}, collation: {locale: 'de'}}")]
    public void What_is_no_statement_leaves_the_command_whole(string statement)
    {
        var command = BsonDocument.Parse($"{{update: 'c', updates: [{{q: {{a: 1}}, u: {{$set: {{a: 1}}}}}}, {statement}]}}");

        Assert.Equal([2], Runs(WriteBatch.Of("updates", new RawDocument(command.ToBson()), null, inTransaction: false)!));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_parts_of_any_command_are_its_statements_each_once_and_by_key_in_their_order(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var deletes = random.Next(2) == 0;
            var statements = Enumerable.Range(0, random.Next(2, 90)).Select(i =>
            {
                var filter = new BsonDocument(random.Next(10) == 0 ? "x" : "_id", Key(random));
                return deletes
                    ? new BsonDocument { { "q", filter }, { "limit", i % 2 } }
                    : new BsonDocument { { "q", filter }, { "u", new BsonDocument("$set", new BsonDocument("i", i)) }, { "upsert", random.Next(2) == 0 } };
            }).ToList();
            var (name, field) = deletes ? ("delete", "deletes") : ("update", "updates");
            var ordered = random.Next(2) == 0;
            var body = new BsonDocument { { name, "c" }, { "ordered", ordered } };
            var beside = random.Next(2) == 0;
            DocumentSequence? sequence = beside ? new(field, statements.SelectMany(s => s.ToBson()).ToArray(), statements.Count) : null;
            if (!beside)
            {
                body.Add(field, new BsonArray(statements));
            }

            var batch = WriteBatch.Of(field, new RawDocument(body.ToBson()), sequence, inTransaction: false)!;
            var seen = new List<int>();
            var first = 0;
            foreach (var run in Runs(batch))
            {
                var (part, documents) = batch.Part(first, run);
                var list = part.ToTree();
                Assert.Equal(ordered, list["ordered"].AsBoolean);
                var given = documents is { } d ? Documents(d) : [.. list[field].AsBsonArray.Cast<BsonDocument>()];
                Assert.Equal(given, Enumerable.Range(0, run).Select(place => statements[batch.IndexOf(first, run, place)]));
                seen.AddRange(Enumerable.Range(0, run).Select(place => batch.IndexOf(first, run, place)));
                first += run;
            }

            Assert.Equal(Enumerable.Range(0, statements.Count), seen.Order());
            if (ordered)
            {
                Assert.Equal(seen.Order(), seen);
            }

            foreach (var same in seen.GroupBy(i => statements[i]["q"].AsBsonDocument.GetElement(0).Value is { IsNumeric: true } n
                ? n.ToDouble().ToString("R", null)
                : statements[i]["q"].ToJson()))
            {
                Assert.Equal(same.Order(), same);
            }
        }
    }

    private static BsonValue Key(Random random) => random.Next(5) switch
    {
        0 => random.Next(20),
        1 => (double)random.Next(20),
        2 => (long)random.Next(20),
        3 => ((char)('a' + random.Next(20))).ToString(),
        _ => new BsonDocument("$gt", random.Next(20)),
    };

    private static List<BsonDocument> Documents(DocumentSequence sequence)
    {
        var found = new List<BsonDocument>();
        for (var rest = sequence.Documents; !rest.IsEmpty;)
        {
            var document = RawDocument.Take(rest);
            found.Add(document.ToTree());
            rest = rest[document.Bytes.Length..];
        }

        Assert.Equal(sequence.Count, found.Count);
        return found;
    }

    private static List<int> Runs(WriteBatch batch)
    {
        var runs = new List<int>();
        for (var first = 0; first < batch.Count; first += runs[^1])
        {
            runs.Add(batch.RunFrom(first));
            Assert.True(runs[^1] > 0);
        }

        return runs;
    }
}
