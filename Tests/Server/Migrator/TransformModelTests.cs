using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.History;
using Platform.Migrator.Transforms;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary>What transforms make of generated documents in a database, held against the same model as without one.</summary>
public sealed class TransformModelTests(MongoServer server)
{
    private const string Name = "documents";
    private const int Documents = 200;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transform_does_what_its_path_means_once_and_touches_nothing_else()
    {
        var database = server.NewDatabase();
        var documents = TransformCase.Documents(seed: 7, Documents).ToList();
        var converted = await ConvertAsync(database, documents);
        foreach (var transform in TransformCase.All(Name))
        {
            await database.DropCollectionAsync(Name, Token);
            var collection = database.GetCollection<BsonDocument>(Name);
            await collection.InsertManyAsync(documents, cancellationToken: Token);
            BsonValue? Convert(BsonValue value) => converted[(Key(value), transform.Type!)];

            var problems = documents.Count(document => transform.HasProblem(document, Convert));
            var (report, exception) = await RunAsync(collection, transform.Transform);
            var after = await AllAsync(collection);
            var fault = documents.Select(before => transform.FaultOf(before, after[before["_id"]], Convert)).FirstOrDefault(fault => fault is not null);
            Assert.True(fault is null, fault);
            Assert.True(exception is null == (problems == 0), $"{transform.Name}: {exception?.Message ?? "no problem was found"}");
            Assert.Equal(Math.Min(problems, 20), exception?.Documents.Count ?? 0);
            Assert.Equal(problems > 0 ? null : documents.Count(transform.IsObstructed), report?.Obstructed);
            Assert.Equal(0, report?.Newer ?? 0);

            await RunAsync(collection, transform.Transform);
            var again = await AllAsync(collection);
            Assert.All(after, pair => Assert.Equal(pair.Value.ToBson(), again[pair.Key].ToBson()));
        }
    }

    [Fact]
    public async Task What_the_server_updates_by_itself_is_updated_once_in_batches_of_any_size_and_what_it_refuses_is_named()
    {
        var database = server.NewDatabase();
        for (var seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            await database.DropCollectionAsync(Name, Token);
            var collection = database.GetCollection<BsonDocument>(Name);
            var documents = Keys(random, random.Next(1, 450)).Select(key => Document(random, key)).ToList();
            await collection.InsertManyAsync(documents, cancellationToken: Token);
            await database.RunCommandAsync<BsonDocument>(
                BsonDocument.Parse($"{{ collMod: '{Name}', validator: {{ $or: [{{ b: {{ $exists: false }} }}, {{ ok: true }}] }} }}"),
                cancellationToken: Token);
            var (transform, update) = random.Next(3) switch
            {
                0 => (CollectionTransform.Backfill("constant", Name, "b", 7), (Action<BsonDocument>)(document => document.Set("b", 7))),
                1 => (CollectionTransform.Backfill("computed", Name, "b", "$a"), document => document.Set("b", document["a"])),
                // The new name's value is overwritten.
                _ => (CollectionTransform.Rename("rename", Name, "a", "b"), document =>
                {
                    document.Remove("b");
                    document.Add("b", document["a"]).Remove("a");
                }),
            };
            transform = transform.InBatchesOf(random.Next(4) switch { 0 => random.Next(1, 5), 1 => random.Next(190, 210), _ => random.Next(5, 500) });
            var needed = documents.Where(document => transform.Name == "rename" || !document.Contains("b"))
                .ToHashSet(ReferenceEqualityComparer.Instance);
            var refused = documents.Where(document => needed.Contains(document) && document["ok"] == false).Select(document => document["_id"]).ToHashSet();

            // Stopped after a few batches every other time, and resumed from the last checkpoint.
            var left = random.Next(2) == 0 ? random.Next(1, 4) : int.MaxValue;
            MigrationCheckpoint? reached = null;
            var runner = new TransformRunner(database, TimeProvider.System, NullLogger.Instance);
            try
            {
                await runner.RunAsync(transform, resumed: null, (checkpoint, _) => Keep(checkpoint), Token);
                Assert.Empty(refused);
            }
            catch (TransformException exception)
            {
                Assert.Equal(Math.Min(refused.Count, 20), exception.Documents.Count);
                Assert.All(exception.Documents, document => Assert.Contains(document.Id, refused));
                Assert.StartsWith($"{refused.Count} document", exception.Message, StringComparison.Ordinal);
            }
            catch (OperationCanceledException)
            {
                left = int.MaxValue;
                var exception = await Record.ExceptionAsync(() => runner.RunAsync(transform, reached, (checkpoint, _) => Keep(checkpoint), Token));
                Assert.True(exception is null ? refused.Count == 0 : exception is TransformException && refused.Count > 0, $"seed {seed}: {exception}");
            }

            var after = await AllAsync(collection);
            Assert.Equal(documents.Count, after.Count);
            foreach (var document in documents)
            {
                if (needed.Contains(document) && !refused.Contains(document["_id"]))
                {
                    update(document);
                }

                Assert.True(
                    document.ToBson().AsSpan().SequenceEqual(after[document["_id"]].ToBson()),
                    $"seed {seed}, {transform.Name} in batches of {transform.BatchSize}: {after[document["_id"]]} should be {document}");
            }

            Task Keep(MigrationCheckpoint checkpoint)
            {
                reached = checkpoint;
                return --left == 0 ? Task.FromCanceled(new CancellationToken(canceled: true)) : Task.CompletedTask;
            }
        }
    }

    // Of all kinds that keys may have, each once.
    private static IEnumerable<BsonValue> Keys(Random random, int count)
    {
        var types = random.Next(1, 9);
        return Enumerable.Range(0, count).Select(i => (BsonValue)(random.Next(types) switch
        {
            1 => $"key {i}",
            2 => (i * 3L) + 1_000_000_000_000,
            3 => i + 0.5,
            4 => new ObjectId(i.ToString("x24", CultureInfo.InvariantCulture)),
            5 => new BsonDocument("k", i),
            6 => new BsonDateTime(i),
            7 => i == 7 ? BsonNull.Value : i == 8 ? double.NaN : new BsonDecimal128(i + 0.25m),
            _ => i,
        }));
    }

    private static BsonDocument Document(Random random, BsonValue key)
    {
        var document = new BsonDocument { { "_id", key }, { "a", random.Next(100) }, { "ok", random.Next(20) > 0 } };
        return random.Next(5) == 0 ? document.Set("ok", true).Add("b", "there") : document;
    }

    private static async Task<(TransformReport? Report, TransformException? Exception)> RunAsync(
        IMongoCollection<BsonDocument> collection, CollectionTransform transform)
    {
        try
        {
            var runner = new TransformRunner(collection.Database, TimeProvider.System, NullLogger.Instance);
            return (await runner.RunAsync(transform, resumed: null, (_, _) => Task.CompletedTask, Token), null);
        }
        catch (TransformException exception)
        {
            return (null, exception);
        }
    }

    private static async Task<Dictionary<BsonValue, BsonDocument>> AllAsync(IMongoCollection<BsonDocument> collection) =>
        (await collection.Find(new BsonDocument()).As<RawBsonDocument>().ToListAsync(Token)).Select(Exact).ToDictionary(document => document["_id"]);

    private static BsonDocument Exact(RawBsonDocument raw)
    {
        var document = ExactDocument.Read(raw)!;
        Assert.Equal(raw.ToBson(), document.ToBson());
        return document;
    }

    // What the server makes of each value, asked in the plainest way.
    private static async Task<Dictionary<(string, string), BsonValue?>> ConvertAsync(IMongoDatabase database, IEnumerable<BsonDocument> documents)
    {
        var values = documents.SelectMany(Scalars).DistinctBy(Key).ToList();
        var types = TransformCase.All(Name).Select(transform => transform.Type).OfType<string>().Distinct().ToList();
        var collection = database.GetCollection<BsonDocument>("values");
        await collection.InsertManyAsync(values.Select((value, i) => new BsonDocument { { "_id", i }, { "v", value } }), cancellationToken: Token);
        var fields = new BsonDocument(types.Select(type => new BsonElement(
            type, new BsonDocument("$convert", new BsonDocument { { "input", "$v" }, { "to", type }, { "onError", "failed" } }))));
        var results = await collection.Aggregate().Project<RawBsonDocument>(fields).ToListAsync(Token);
        return results.Select(Exact).SelectMany(result => types.Select(type => (Value: values[result["_id"].AsInt32], Type: type, Made: result[type])))
            .ToDictionary(made => (Key(made.Value), made.Type), made => made.Made == "failed" ? null : made.Made);
    }

    private static string Key(BsonValue value) => System.Convert.ToHexString(new BsonDocument("v", value).ToBson());

    private static IEnumerable<BsonValue> Scalars(BsonValue value) => value switch
    {
        BsonDocument document => document.Values.SelectMany(Scalars),
        BsonArray array => array.SelectMany(Scalars),
        _ => [value],
    };
}
