using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Encryption;
using Platform.Jobs;
using Platform.Migrator.DryRun;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Encryption;

/// <summary>The migration that encrypts what is there, with a master key: stopped anywhere and gone on with, and taken back.</summary>
public sealed class EncryptingMigrationTests(MongoServer server)
{
    private const int Number = 7;
    private const int Documents = 90;
    private const int Cases = 4;
    private const int BatchSize = 20;

    private static readonly string[] s_tenants = ["0000000000000000000000a1", "0000000000000000000000b2", "0000000000000000000000c3"];

    private long _fence = 10;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IReadOnlyList<MigrationDescriptor> Shipped { get; } = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);

    [Fact]
    public async Task Stopped_anywhere_it_goes_on_and_taken_back_every_document_is_what_it_was_to_the_byte()
    {
        for (var seed = 1; seed <= Cases; seed++)
        {
            await CaseAsync(seed);
        }
    }

    [Fact]
    public async Task Without_the_master_key_nothing_is_taken_back()
    {
        var database = await PrepareAsync(seed: 9);
        using var encryption = new FieldEncryption(new MongoKeyVault(database), MasterKey.Create());
        Assert.Null((await UpAsync(database, encryption)).Failure?.Sentence);
        var before = await DocumentsAsync(database);
        var result = await Record.ExceptionAsync(async () =>
        {
            var down = await Runner(database).DownAsync(Environment(database, null), 1, NextFence(), to: Number - 1, Token);
            if (down.Failure is { } failure)
            {
                throw failure.Exception;
            }
        });
        Assert.Contains("there is no master key to decrypt them with", Assert.IsType<JobRefusedException>(result).Message, StringComparison.Ordinal);
        Assert.Equal(before, await DocumentsAsync(database));
    }

    private async Task CaseAsync(int seed)
    {
        var random = new Random(seed);
        var database = await PrepareAsync(seed);
        using var encryption = new FieldEncryption(new MongoKeyVault(database), MasterKey.Create());
        var before = await DocumentsAsync(database);

        for (var stops = random.Next(1, 4); stops > 0; stops--)
        {
            await StoppedAsync(database, seed, random.Next(1, 12), tapped => UpAsync(tapped, encryption, database));
        }

        var up = await UpAsync(database, encryption);
        Assert.True(up.Failure is null, $"seed {seed}: {up.Failure?.Sentence}");
        await AssertEncryptedAsync(database, encryption, before, seed);

        // Also what a program wrote half-way stays readable and is taken back with the rest.
        for (var stops = random.Next(1, 4); stops > 0; stops--)
        {
            await StoppedAsync(database, seed, random.Next(1, 12), tapped => DownAsync(tapped, encryption, database));
        }

        var down = await DownAsync(database, encryption);
        Assert.True(down.Failure is null, $"seed {seed}: {down.Failure?.Sentence}");
        Assert.Equal(before, await DocumentsAsync(database));
    }

    private static async Task AssertEncryptedAsync(IMongoDatabase database, FieldEncryption encryption, SortedDictionary<string, string> before, int seed)
    {
        var count = 0;
        foreach (var collection in Collections)
        {
            var fields = EncryptedFields.Of(collection.DocumentType);
            foreach (var document in await database.GetCollection<BsonDocument>(collection.Name).Find(new BsonDocument()).ToListAsync(Token))
            {
                Assert.All(
                    fields,
                    field => Assert.True(
                        !document.TryGetValue(field.Name, out var value) || EncryptedField.IsEncrypted(value), $"seed {seed}: {field.Name} of {document}"));
                encryption.Decrypt(fields, document);
                Assert.Equal(before[$"{collection.Name} {document["_id"]}"], Convert.ToHexString(document.ToBson()));
                count++;
            }
        }

        Assert.Equal(before.Count, count);
    }

    private static CollectionDefinition[] Collections => [CollectionCatalogue.Users, CollectionCatalogue.Customers];

    private async Task<IMongoDatabase> PrepareAsync(int seed)
    {
        var database = server.NewDatabase();
        var result = await Runner(database).UpAsync(Environment(database, null), 1, Number - 1, Token);
        Assert.Null(result.Failure?.Sentence);
        var random = new Random(seed);
        foreach (var collection in Collections)
        {
            var samples = new DocumentSamples(collection, seed);
            await database.GetCollection<BsonDocument>(collection.Name).InsertManyAsync(
                Enumerable.Range(0, Documents).Select(number =>
                {
                    var document = samples.Valid();
                    document["tenantId"] = ObjectId.Parse(s_tenants[random.Next(s_tenants.Length)]);
                    document["email"] = $"person{number}.{seed}@shop.example";
                    return document;
                }),
                cancellationToken: Token);
        }

        return database;
    }

    private long NextFence() => ++_fence;

    // Refuses all commands that write from a certain one on, as if the connection was lost there.
    private static async Task StoppedAsync(IMongoDatabase database, int seed, int commands, Func<IMongoDatabase, Task<MigrationResult>> run)
    {
        var passed = 0;
        var stopped = false;
        await using var tap = CommandTap.Open(database.Client, command =>
        {
            if (DryRunRecorder.IsRead(command) || command.Name is "commitTransaction")
            {
                return TapDecision.Forward;
            }

            stopped |= Volatile.Read(ref passed) >= commands;
            if (stopped)
            {
                return new TapDecision(new BsonDocument { { "ok", 0 }, { "code", 1 }, { "codeName", "InternalError" }, { "errmsg", "stopped by the test" } });
            }

            Interlocked.Increment(ref passed);
            return TapDecision.Forward;
        });
        var result = await run(tap.Client.GetDatabase(database.DatabaseNamespace.DatabaseName));
        Assert.True(stopped == result.Failure is not null, $"seed {seed}: {result.Failure?.Sentence ?? "it was stopped and did not fail"}");
    }

    private Task<MigrationResult> UpAsync(IMongoDatabase database, FieldEncryption? encryption, IMongoDatabase? history = null) =>
        Runner(history ?? database).UpAsync(Environment(database, encryption), NextFence(), Number, Token);

    private Task<MigrationResult> DownAsync(IMongoDatabase database, FieldEncryption? encryption, IMongoDatabase? history = null) =>
        Runner(history ?? database).DownAsync(Environment(database, encryption), 1, NextFence(), to: Number - 1, Token);

    private static MigrationRunner Runner(IMongoDatabase database) =>
        new(Shipped, new MongoMigrationHistory(database), "test", TimeProvider.System, NullLogger<MigrationRunner>.Instance);

    private static MigrationEnvironment Environment(IMongoDatabase database, FieldEncryption? encryption) =>
        new(database, new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance))
        {
            BatchSize = BatchSize,
            Encryption = encryption,
        };

    private static async Task<SortedDictionary<string, string>> DocumentsAsync(IMongoDatabase database)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var collection in Collections)
        {
            foreach (var document in await database.GetCollection<RawBsonDocument>(collection.Name).Find(new BsonDocument()).ToListAsync(Token))
            {
                using (document)
                {
                    all.Add($"{collection.Name} {document["_id"]}", Convert.ToHexString(document.ToBson()));
                }
            }
        }

        return all;
    }
}
