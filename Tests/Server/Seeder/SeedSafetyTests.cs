using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Tenancy;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Mongo.Leases;
using Platform.Seeder.Commands;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;
using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>What the seeder must not do to a database: by its classes, in this process.</summary>
public sealed class SeedSafetyTests(MongoServer server)
{
    private static readonly SeedSize One = new() { Tenants = 1 };
    private static readonly SeedSize Two = new() { Tenants = 2 };
    private static readonly string[] Users = [CollectionNames.Users];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_is_marked_as_something_else_while_the_seeder_waits_or_works_loses_nothing_more()
    {
        var database = await MigratedAsync();
        await RunAsync(database, One);
        var before = await SnapshotAsync(database);

        // While it waits for another one.
        foreach (var work in new Func<TextWriter, Task>[]
        {
            output => RunAsync(database, Two, output),
            output => Clean(database).RunAsync(null, false, JobProgress.None, output, Cancel),
        })
        {
            var output = new WaitingWriter();
            Task waiting;
            await using (await Lease.AcquireAsync(
                new MongoLeaseStore(database), "seeder", new LeaseOptions(), TimeProvider.System, NullLogger.Instance, cancellationToken: Cancel))
            {
                waiting = work(output);
                await output.Written.Task.WaitAsync(Cancel);
                await MarkAsync(database, "staging");
            }

            Assert.Contains("is marked as staging", (await Assert.ThrowsAsync<JobRefusedException>(() => waiting)).Message, StringComparison.Ordinal);
            Assert.Equal(before, await SnapshotAsync(database));
            await MarkAsync(database, "development");
        }

        // After its first command.
        var progress = new Marking(() => MarkAsync(database, "staging"));
        await Assert.ThrowsAsync<JobRefusedException>(
            () => Run(database, writers: 1).RunAsync(new SeedWork(Two, Two.Until, ["orders"]), progress, TextWriter.Null, Cancel));
        Assert.Equal(0, await Collection(database, CollectionNames.Orders).CountDocumentsAsync(new BsonDocument(), cancellationToken: Cancel));
        Assert.Equal("staging", (await Collection(database, CollectionNames.Environment).Find(new BsonDocument()).SingleAsync(Cancel))["name"].AsString);
    }

    [Fact]
    public async Task What_stops_a_run_stops_it_before_anything_is_removed()
    {
        var database = await MigratedAsync();
        await RunAsync(database, One);
        var own = new BsonDocument
        {
            { "_id", ObjectId.GenerateNewId() }, { "slug", "my-own" }, { "name", "My Own" }, { "currency", "EUR" }, { "status", "active" },
            { "createdAt", DateTime.UnixEpoch }, { "updatedAt", DateTime.UnixEpoch },
        };
        var user = (await Collection(database, CollectionNames.Users).Find(new BsonDocument()).FirstAsync(Cancel)).DeepClone().AsBsonDocument;
        user["_id"] = ObjectId.GenerateNewId();
        user["tenantId"] = SeedGenerator.TenantId(1);
        user["email"] = "owner@brightbyte.example";

        // A category as versions before numbered them, without the tenant; and a product that is filed under it.
        var category = new BsonDocument
        {
            { "_id", SeedId.Create(SeedKind.Category, 0, 1) }, { "tenantId", own["_id"] }, { "slug", "tents" }, { "name", "Tents" }, { "position", 0 },
            { "createdAt", DateTime.UnixEpoch }, { "updatedAt", DateTime.UnixEpoch },
        };
        var product = new BsonDocument { { "_id", ObjectId.GenerateNewId() }, { "tenantId", own["_id"] }, { "categoryId", category["_id"] } };
        foreach (var (collection, documents, sentence) in new (string, BsonDocument[], string)[]
        {
            (CollectionNames.Tenants, [new BsonDocument(own) { ["slug"] = "brightbyte" }], "(slug brightbyte); change or remove that one."),
            (
                CollectionNames.Users,
                [user],
                "The document 5eedc0de0200000100000000 cannot be written to users, since one that was not seeded has the same unique key"),
            (CollectionNames.Products, [category, product], $"The document {product["_id"]} of products, which was not seeded, refers to categories "
                + $"{category["_id"]}, which would become a document of another tenant"),
        })
        {
            foreach (var document in documents)
            {
                await Collection(database, document.Contains("position") ? CollectionNames.Categories : collection)
                    .InsertOneAsync(document, new InsertOneOptions { BypassDocumentValidation = true }, Cancel);
            }

            await RefusedAsync(sentence);
            foreach (var document in documents)
            {
                await Collection(database, document.Contains("position") ? CollectionNames.Categories : collection).DeleteOneAsync(
                    new BsonDocument("_id", document["_id"]), Cancel);
            }
        }

        // Rules of a version that asks for more.
        await database.RunCommandAsync<BsonDocument>(
            BsonDocument.Parse("{ collMod: 'users', validator: { $jsonSchema: { required: ['nickname'] } } }"), cancellationToken: Cancel);
        await RefusedAsync("has for users refuse the data of this version; run the migrator of this version first.");

        async Task RefusedAsync(string sentence)
        {
            var before = await SnapshotAsync(database);
            var refused = await Assert.ThrowsAsync<JobRefusedException>(() => RunAsync(database, Two));
            Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
            Assert.Equal(before, await SnapshotAsync(database));
        }
    }

    [Fact]
    public async Task Documents_that_were_deleted_are_missed_and_written_again_while_changed_ones_stay()
    {
        var database = await MigratedAsync();
        await RunAsync(database, Two);
        var users = Collection(database, CollectionNames.Users);
        await users.DeleteManyAsync(SeedKeys.Between(SeedId.Create(SeedKind.User, 0, 8), SeedId.Create(SeedKind.User, 1, 2)), Cancel);
        await users.UpdateOneAsync(
            new BsonDocument("_id", SeedId.Create(SeedKind.User, 1, 5)), Builders<BsonDocument>.Update.Set("displayName", "Mine"), cancellationToken: Cancel);

        var status = await new StatusCommand(Store(database), Guard(database), TimeProvider.System).RunAsync(Cancel);
        Assert.Equal((SeedState.Incomplete, 17, 24), (status.State, status.Collections[1].Seeded, status.Collections[1].Expected));
        Assert.Contains("some documents are gone since ('seeder run' writes them again)", SeedText.Of(status), StringComparison.Ordinal);

        var output = new StringWriter();
        await RunAsync(database, Two, output);
        Assert.Contains("Seeded 7 documents", output.ToString(), StringComparison.Ordinal);
        var verify = new VerifyCommand(Store(database), SeedEncryption.None, Options.Create(new SeederOptions()), TimeProvider.System);
        var verified = (await verify.RunAsync(JobProgress.None, Cancel)).Collections[1];
        Assert.Equal((24, 0, 1), (verified.Found, verified.Missing, verified.Changed));

        output = new StringWriter();
        await RunAsync(database, Two, output);
        Assert.StartsWith("Already seeded: 26 documents", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ create: 'invoices' }")]
    [InlineData("{ create: '_private' }")]
    [InlineData("{ create: 'recent', viewOn: 'orders', pipeline: [] }")]
    [InlineData("{ insert: '_outbox', documents: [{ _id: 1 }] }")]
    public async Task A_database_with_anything_of_others_is_not_empty(string command)
    {
        var database = await MigratedAsync();
        await database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), cancellationToken: Cancel);
        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => RunAsync(database, One));
        Assert.Contains("is not marked as development", refused.Message, StringComparison.Ordinal);
        using var names = await database.ListCollectionNamesAsync(cancellationToken: Cancel);
        // Refused before it wrote anything, its lease included.
        Assert.Empty((await names.ToListAsync(Cancel)).Intersect([CollectionNames.Environment, CollectionNames.Leases, CollectionNames.SeedMarker]));
    }

    private static IMongoCollection<BsonDocument> Collection(IMongoDatabase database, string name) => database.GetCollection<BsonDocument>(name);

    private static Task RunAsync(IMongoDatabase database, SeedSize size, TextWriter? output = null) =>
        Run(database).RunAsync(new SeedWork(size, size.Until, Users), JobProgress.None, output ?? TextWriter.Null, Cancel);

    private static RunCommand Run(IMongoDatabase database, int writers = 3) => new(
        Store(database), Guard(database), SeedEncryption.None, Options.Create(new SeederOptions { Writers = writers }), TimeProvider.System,
        NullLogger<RunCommand>.Instance);

    private static CleanCommand Clean(IMongoDatabase database) => new(
        Store(database), new PlatformDatabase(database), Guard(database), Options.Create(new SeederOptions()), NullLogger<CleanCommand>.Instance);

    private static SeedStore Store(IMongoDatabase database) =>
        new(database, new MongoLeaseStore(database), TimeProvider.System, NullLogger<SeedStore>.Instance);

    private static SeedGuard Guard(IMongoDatabase database) => new(new PlatformDatabase(database), new Development(), TimeProvider.System);

    // What a person writes who does not wait for anybody.
    private static Task<UpdateResult> MarkAsync(IMongoDatabase database, string name) => Collection(database, CollectionNames.Environment).UpdateOneAsync(
        new BsonDocument("_id", EnvironmentMark.OnlyId), Builders<BsonDocument>.Update.Set("name", name), cancellationToken: Cancel);

    // All documents, and what the seeder remembers.
    private static async Task<string> SnapshotAsync(IMongoDatabase database)
    {
        var all = new List<BsonDocument>();
        foreach (var name in CollectionCatalogue.Domain.Where(definition => definition.TimeSeries is null)
            .Select(definition => definition.Name)
            .Append(CollectionNames.SeedMarker))
        {
            all.AddRange(await Collection(database, name).Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).ToListAsync(Cancel));
        }

        return string.Join('\n', all);
    }

    private async Task<IMongoDatabase> MigratedAsync()
    {
        var database = server.NewDatabase();
        // The indexes are others' concern, but for the keys that have to be unique.
        foreach (var definition in CollectionCatalogue.Domain)
        {
            await database.RunCommandAsync<BsonDocument>(
                definition.TimeSeries is null
                    ? new BsonDocument { { "create", definition.Name }, { "validator", definition.Validator } }
                    : new BsonDocument("create", definition.Name),
                cancellationToken: Cancel);
        }

        return database;
    }

    private sealed class WaitingWriter : StringWriter
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            Written.TrySetResult();
        }
    }

    private sealed class Marking(Func<Task> mark) : IJobProgress
    {
        private int _marked;

        public Task RunAsync(Func<Task> work) => work();

        public void Report(string collection, long done, long expected) => Finish(collection, done);

        public void Finish(string collection, long done, string? outcome = null)
        {
            if (Interlocked.Exchange(ref _marked, 1) == 0)
            {
                Task.Run(mark, Cancel).Wait(Cancel);
            }
        }
    }

    private sealed class Development : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Development;

        public string ApplicationName { get; set; } = "tests";

        public string ContentRootPath { get; set; } = AppContext.BaseDirectory;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
