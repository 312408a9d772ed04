using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Migrator.Structure;
using Platform.Migrator.Validation;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Validation;

/// <summary>The rules as a server enforces them, against the rules as this program judges them.</summary>
public sealed class ServerRulesTests(MongoServer server)
{
    private const int Documents = 10_000;

    public static TheoryData<string> Collections { get; } = [.. Enforced.Select(collection => collection.Name)];

    private static IEnumerable<CollectionDefinition> Enforced => CollectionCatalogue.Domain.Where(collection => EngineSupport.WhyUnchecked(collection) is null);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Collections))]
    public async Task The_server_takes_what_obeys_and_refuses_a_document_for_every_rule_but_those_that_are_listed(string name)
    {
        var definition = CollectionCatalogue.Domain.Single(collection => collection.Name == name);
        var collection = await CreateAsync(server.NewDatabase(), definition);
        var samples = new DocumentSamples(definition, seed: 7);
        for (var i = 0; i < 100; i++)
        {
            await collection.InsertOneAsync(samples.Valid(), cancellationToken: Cancel);
        }

        var wrong = new List<string>();
        foreach (var sample in samples.OnePerRule())
        {
            var code = await InsertAsync(collection, sample.Document);
            var expected = IsListed(EngineSupport.CannotBeBroken, name, sample) || IsListed(EngineSupport.NotOnDocumentDb, name, sample)
                ? 0
                : ServerRefusal.DocumentValidationFailure;
            if (code != expected)
            {
                wrong.Add($"{name} {sample.Path} {sample.Code}: {code}, not {expected}: {sample.Document}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public async Task Rules_of_requests_documents_and_server_agree_on_10000_generated_documents()
    {
        var database = server.NewDatabase();
        var tally = new Tally();
        foreach (var definition in Enforced)
        {
            var agree =
                typeof(ServerRulesTests).GetMethod(nameof(AgreeAsync), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                .MakeGenericMethod(definition.DocumentType);
            await (Task)agree.Invoke(null, [definition, await CreateAsync(database, definition), Documents / Enforced.Count(), tally])!;
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{tally.Judged} documents: {tally.Judged - tally.Refused} taken, {tally.Refused} refused; {tally.Typed} of them judged as objects too");
        Assert.True(tally.Differences.Count == 0, string.Join(Environment.NewLine, tally.Differences.Take(20)));
        Assert.True(tally.Judged >= Documents - Enforced.Count(), $"only {tally.Judged} documents");
        Assert.InRange(tally.Refused, Documents / 4, Documents * 3 / 4);
        Assert.True(tally.Typed > Documents / 4, $"only {tally.Typed} documents were judged as objects");
    }

    [Fact]
    public async Task Time_series_have_no_validator_whatever_is_written()
    {
        var database = server.NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        var series = CollectionCatalogue.Domain.Except(Enforced).ToList();
        Assert.NotEmpty(series);
        foreach (var definition in series)
        {
            var document = new DocumentSamples(definition, seed: 1).Valid();
            document["productId"] = "no id";
            Assert.NotEmpty(definition.Rules.Evaluate(document));

            Assert.Equal(0, await InsertAsync(database.GetCollection<BsonDocument>(definition.Name), document));
        }
    }

    private static async Task AgreeAsync<TDocument>(
        CollectionDefinition<TDocument> definition, IMongoCollection<BsonDocument> collection, int count, Tally tally)
        where TDocument : class
    {
        const int Batch = 250;
        var samples = new DocumentSamples(definition, seed: 20260101);
        for (var done = 0; done < count; done += Batch)
        {
            var documents = Enumerable.Range(0, Math.Min(Batch, count - done)).Select(_ => samples.Changed()).ToList();
            var errors = new Dictionary<int, BulkWriteError>();
            try
            {
                await collection.InsertManyAsync(documents, new InsertManyOptions { IsOrdered = false }, Cancel);
            }
            catch (MongoBulkWriteException<BsonDocument> exception)
            {
                errors = exception.WriteErrors.ToDictionary(error => error.Index);
            }

            // The driver has given an _id to those that had none, as a server does.
            for (var i = 0; i < documents.Count; i++)
            {
                tally.Add<TDocument>(definition, documents[i], errors.GetValueOrDefault(i));
            }
        }
    }

    private static async Task<IMongoCollection<BsonDocument>> CreateAsync(IMongoDatabase database, CollectionDefinition definition)
    {
        // Without the indexes: keys that are taken are another matter.
        await database.RunCommandAsync<BsonDocument>(ValidatorMigration.Create(definition, CollectionValidation.Full), cancellationToken: Cancel);
        return database.GetCollection<BsonDocument>(definition.Name);
    }

    private static async Task<int> InsertAsync(IMongoCollection<BsonDocument> collection, BsonDocument document)
    {
        try
        {
            await collection.InsertOneAsync(document, cancellationToken: Cancel);
            return 0;
        }
        catch (MongoWriteException exception)
        {
            return exception.WriteError.Code;
        }
    }

    private static bool IsListed(IReadOnlyList<RuleException> list, string collection, InvalidSample sample) =>
        list.Any(exception => exception.Covers(collection, sample.Path, sample.Code));

    private sealed class Tally
    {
        public int Judged { get; private set; }

        public int Refused { get; private set; }

        public int Typed { get; private set; }

        public List<string> Differences { get; } = [];

        public void Add<TDocument>(CollectionDefinition definition, BsonDocument document, BulkWriteError? error)
            where TDocument : class
        {
            Judged++;
            Refused += error is null ? 0 : 1;
            var violations = definition.Rules.Evaluate(document);

            // A value that cannot be a key, or is one twice, is refused before the rules are asked.
            if (violations.Count > 0 != error is not null
                || (error is not null && error.Code != ServerRefusal.DocumentValidationFailure && document["_id"].IsObjectId))
            {
                Differences.Add($"{definition.Name}: here [{string.Join(" ", violations)}], server {error?.Code} {error?.Message}: {document}");
            }

            // What is an object of the document's type, byte by byte, is judged as one too.
            if (TryRead<TDocument>(document) is { } typed && typed.ToBson().SequenceEqual(document.ToBson()))
            {
                Typed++;
                var ofObject = definition.Rules.Evaluate(typed.ToBsonDocument());
                if (ofObject.Count == 0 != error is null)
                {
                    Differences.Add($"{definition.Name}: as an object [{string.Join(" ", ofObject)}], server {error?.Code}: {document}");
                }
            }
        }

        private static TDocument? TryRead<TDocument>(BsonDocument document)
            where TDocument : class
        {
            try
            {
                return BsonSerializer.Deserialize<TDocument>(document);
            }
            catch (Exception exception) when (exception is FormatException or BsonSerializationException or OverflowException or ArgumentException)
            {
                return null;
            }
        }
    }
}
