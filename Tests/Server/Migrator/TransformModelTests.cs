using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
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
