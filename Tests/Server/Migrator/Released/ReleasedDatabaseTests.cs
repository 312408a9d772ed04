using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Search;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Migrator.Validation;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Migrator.Released;

/// <summary>
/// A database of each release, as its programs left it, beside this file: brought up to date, it is what a new one is. Versions that a database goes
/// through look the same, wherever it comes from and whichever way it goes.
/// </summary>
public sealed class ReleasedDatabaseTests(MongoServer server, ReleasedDatabaseTests.Seen seen) : IClassFixture<ReleasedDatabaseTests.Seen>
{
    private const int Walks = 2;
    private const int MovesPerWalk = 5;

    private static readonly string s_directory = Path.Combine(Repository.Root, "Tests", "Server", "Migrator", "Released");

    private long _fence;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IReadOnlyList<MigrationDescriptor> Shipped { get; } = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);

    private static IEnumerable<string> Dumps => Directory.EnumerateFiles(s_directory, "*.json").Order(StringComparer.Ordinal);

    [Fact]
    public async Task A_database_of_each_release_becomes_what_a_new_one_is()
    {
        var states = await StatesAsync();
        Assert.NotEmpty(Dumps);
        foreach (var dump in Dumps)
        {
            var release = Path.GetFileNameWithoutExtension(dump);
            var database = await RestoreAsync(dump);
            var before = await DocumentsAsync(database);
            Assert.All(
                CollectionCatalogue.Domain,
                collection => Assert.Contains(before.Keys, key => key.StartsWith(collection.Name + " ", StringComparison.Ordinal)));

            (await JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), "up", Token)).Expect(ExitCodes.Success);

            Assert.Equal($"{release}\n{states[^1]}", $"{release}\n{await StructureAsync(database)}");
            Assert.Equal(before.Keys.Order(StringComparer.Ordinal), (await DocumentsAsync(database)).Keys.Order(StringComparer.Ordinal));
            Assert.Empty(await Catalogue(database).PlanAsync(Token));
            Assert.Empty(await Runner(database).VerifyAsync(Token));
            foreach (var collection in CollectionCatalogue.Domain)
            {
                await new CollectionScan(database).RunAsync(
                    collection, (id, violations) => throw new InvalidOperationException($"{release}: {collection.Name} {id}: {violations[0]}"), null, Token);
            }
        }
    }

    [Fact]
    public async Task Taken_back_and_brought_up_again_every_document_is_what_it_was_to_the_byte()
    {
        var states = await StatesAsync();
        // Orders that never had the number, and those that programs wrote with it.
        foreach (var dump in new[] { Dumps.First(), Dumps.Last() })
        {
            var database = await RestoreAsync(dump);
            await UpAsync(database, Shipped.Count);
            var before = await DocumentsAsync(database);
            var orders = before.Where(document => document.Key.StartsWith("orders ", StringComparison.Ordinal));
            Assert.All(orders, order => Assert.Contains("itemCount", order.Value, StringComparison.Ordinal));

            await DownAsync(database, 1);
            Assert.Equal(states[1], await StructureAsync(database));
            Assert.DoesNotContain(await DocumentsAsync(database), document => document.Value.Contains("itemCount", StringComparison.Ordinal));

            await UpAsync(database, Shipped.Count);
            Assert.Equal(before, await DocumentsAsync(database));
        }
    }

    [Fact]
    public async Task Whichever_way_it_goes_a_version_looks_the_same()
    {
        var states = await StatesAsync();
        await Task.WhenAll(Enumerable.Range(1, Walks).Select(seed => WalkAsync(seed, states)));
    }

    [Fact]
    public async Task What_cannot_be_given_back_is_kept_unless_its_loss_is_allowed()
    {
        var database = await RestoreAsync(Dumps.Last());
        await UpAsync(database, Shipped.Count);
        await DownAsync(database, 2);
        await database.GetCollection<BsonDocument>(CollectionNames.Orders).UpdateOneAsync(
            new BsonDocument(), new BsonDocument("$set", new BsonDocument("itemCount", 1_000_000)), new UpdateOptions { BypassDocumentValidation = true },
            Token);
        var (before, structure) = (await DocumentsAsync(database), await StructureAsync(database));

        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => DownAsync(database, 1));
        Assert.Contains("has another number of items than its lines", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("give --allow-data-loss to take the migration back all the same.", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<JobRefusedException>(() => DownAsync(database, 0));
        Assert.Contains("The collection tenants is not empty, so it is not dropped", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await DocumentsAsync(database));
        Assert.Equal(structure, await StructureAsync(database));

        var forced = await Runner(database).DownAsync(Environment(database).Allowing(loss: true), int.MaxValue, NextFence(), 0, Token);
        Assert.Null(forced.Failure?.Sentence);
        Assert.Empty(await DocumentsAsync(database));
    }

    // Greater than those that the dumps recorded.
    private long NextFence() => Interlocked.Increment(ref _fence) + 1000;

    private async Task WalkAsync(int seed, IReadOnlyList<string> states)
    {
        var random = new Random(seed);
        var database = server.NewDatabase();
        await UpAsync(database, Shipped.Count);
        foreach (var collection in CollectionCatalogue.Domain)
        {
            var samples = new DocumentSamples(collection, seed);
            await database.GetCollection<BsonDocument>(collection.Name).InsertManyAsync(
                Enumerable.Range(0, random.Next(3, 30)).Select(_ => AsWritten(collection, samples.Valid())), cancellationToken: Token);
        }

        // What lacks the number of its items gets it on the way up: from then on nothing changes.
        await DownAsync(database, 1);
        await UpAsync(database, Shipped.Count);
        var (whole, path) = (await DocumentsAsync(database), $"seed {seed}: {Shipped.Count}");
        var at = Shipped.Count;
        for (var move = 1; move <= MovesPerWalk; move++)
        {
            var to = move == MovesPerWalk ? Shipped.Count : random.Next(1, Shipped.Count + 1);
            path += $" {to}";
            if (to > at)
            {
                await UpAsync(database, to);
            }
            else if (to < at)
            {
                await DownAsync(database, to);
            }

            at = to;
            Assert.Equal($"{path}\n{states[at]}", $"{path}\n{await StructureAsync(database)}");
        }

        var documents = await DocumentsAsync(database);
        Assert.Equal(whole.Count, documents.Count);
        Assert.All(whole, document => Assert.Equal($"{path} {document}", $"{path} {new KeyValuePair<string, string>(document.Key, documents[document.Key])}"));
    }

    // As programs write it: the words of a product are its own, and come last. What expires would be gone on some day.
    private static BsonDocument AsWritten(CollectionDefinition collection, BsonDocument document)
    {
        if (collection.TimeSeries is { } series)
        {
            document[series.TimeField] = new DateTime(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        }

        if (collection.Name != CollectionNames.Products)
        {
            return document;
        }

        document.Remove("searchWords");
        document.Remove("searchNameWords");
        var words = ProductWords.Of(
            document["name"].AsString, document["sku"].AsString, document["tags"].AsBsonArray.Select(tag => tag.AsString), document["description"].AsString);
        return document.Add("searchWords", new BsonArray(words.All)).Add("searchNameWords", words.OfName);
    }

    // What a new database looks like at each version, by number; 0 is empty.
    private async Task<IReadOnlyList<string>> StatesAsync()
    {
        if (seen.States is { } known)
        {
            return known;
        }

        var database = server.NewDatabase();
        var states = new List<string> { "" };
        foreach (var migration in Shipped)
        {
            await UpAsync(database, migration.Id);
            states.Add(await StructureAsync(database));
        }

        Assert.Equal(Shipped.Count(migration => migration.Structure is not null), states.Skip(1).Distinct().Count());
        return seen.States = states;
    }

    private async Task<IMongoDatabase> RestoreAsync(string dump)
    {
        var database = server.NewDatabase();
        await DatabaseDump.RestoreAsync(database, await File.ReadAllTextAsync(dump, Token), Token);

        // They were made on the stand-in: another server has some indexes in another form.
        var kind = await ServerKinds.ReadAsync(database, Token);
        var version = int.Parse(Path.GetFileNameWithoutExtension(dump), CultureInfo.InvariantCulture);
        foreach (var definition in MigrationCatalogue.StructureAt(Shipped, version))
        {
            foreach (var index in definition.Indexes.Where(index => index.Variants.Count > 0 && !index.Variants.ContainsKey(kind)))
            {
                await database.GetCollection<BsonDocument>(definition.Name).Indexes.DropOneAsync(index.On(ServerKind.DocumentDb).Name, Token);
                await database.RunCommandAsync<BsonDocument>(index.CreateCommand(definition.Name), cancellationToken: Token);
            }
        }

        return database;
    }

    private async Task UpAsync(IMongoDatabase database, int to)
    {
        var result = await Runner(database).UpAsync(Environment(database), NextFence(), to, Token);
        Assert.Null(result.Failure?.Sentence);
    }

    private async Task DownAsync(IMongoDatabase database, int to)
    {
        var result = await Runner(database).DownAsync(Environment(database), int.MaxValue, NextFence(), to, Token);
        Assert.Null(result.Failure?.Sentence);
    }

    private static MigrationRunner Runner(IMongoDatabase database) =>
        new(Shipped, new MongoMigrationHistory(database), "test", TimeProvider.System, NullLogger<MigrationRunner>.Instance);

    private static MigrationEnvironment Environment(IMongoDatabase database) => new(database, Catalogue(database));

    private static CatalogueSynchroniser Catalogue(IMongoDatabase database) => new(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance);

    // Collections of the domain with everything that a server lists of them. What programs note of themselves stays on the way back.
    private static async Task<string> StructureAsync(IMongoDatabase database)
    {
        var lines = new List<string>();
        using var cursor = await database.ListCollectionsAsync(cancellationToken: Token);
        foreach (var listed in (await cursor.ToListAsync(Token)).OrderBy(listed => listed["name"].AsString, StringComparer.Ordinal))
        {
            var name = listed["name"].AsString;
            if (name.StartsWith("system.", StringComparison.Ordinal) || (name.StartsWith('_') && name != CollectionNames.Outbox))
            {
                continue;
            }

            using var indexes = await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(Token);
            var listedIndexes = (await indexes.ToListAsync(Token)).Select(index => $"{name} index {index}").Order(StringComparer.Ordinal).ToList();
            if (name == CollectionNames.Outbox && listedIndexes.Count == 1)
            {
                continue;
            }

            lines.Add($"{name} {listed.GetValue("type", "collection")} {listed.GetValue("options", new BsonDocument())}");
            lines.AddRange(listedIndexes);
        }

        return string.Join('\n', lines);
    }

    /// <summary>What the versions look like, for all tests of the class.</summary>
    public sealed class Seen
    {
        internal IReadOnlyList<string>? States { get; set; }
    }

    // The bytes of every document, by collection and key.
    private static async Task<SortedDictionary<string, string>> DocumentsAsync(IMongoDatabase database)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var collection in CollectionCatalogue.Domain)
        {
            using var cursor = await database.GetCollection<RawBsonDocument>(collection.Name).FindAsync(new BsonDocument(), cancellationToken: Token);
            foreach (var document in await cursor.ToListAsync(Token))
            {
                using (document)
                {
                    var bytes = document.ToBson();
                    all.Add($"{collection.Name} {document["_id"]}", $"{Convert.ToHexString(bytes)} {document}");
                }
            }
        }

        return all;
    }
}
