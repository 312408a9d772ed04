using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Drills;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Restoring;
using Platform.Backup.Work;
using Platform.Data.Catalogue;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>Restores that are tried, and compared with what the database had: they go well when it is there, and fail when it is not.</summary>
[Collection(BackupCollection.Name)]
public sealed class DrillTests(BackupFixture fixture)
{
    private const string Password = "of-the-api";
    private const string Api = $"{ResourceNames.Database}-{ResourceNames.Api}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drill_restores_compares_logs_in_as_the_api_and_leaves_its_evidence_and_nothing_else()
    {
        using var host = await HostAsync();
        var drill = (await fixture.RunAsync(["drill", "--json"], Token, null, (SettingNames.BackupApiPassword, Password))).Expect(ExitCodes.Success).Json;
        Assert.Equal(0, drill.GetProperty("findings").GetArrayLength());
        Assert.InRange(drill.GetProperty("documents").GetInt64(), 40, long.MaxValue);
        Assert.Equal(drill.GetProperty("documents").GetInt64(), drill.GetProperty("compared").GetInt64());
        Assert.Contains(
            drill.GetProperty("checks").EnumerateArray(),
            check => check.GetString()!.StartsWith($"{Api} logged in and read the order ", StringComparison.Ordinal));
        Assert.Empty(Directory.GetDirectories(Path.Combine(fixture.Directory, "scratch")));

        var evidence = Directory.GetFiles(DrillRecord.DirectoryOf(fixture.Directory)).Order(StringComparer.Ordinal).TakeLast(2).ToList();
        Assert.Equal([".html", ".json"], evidence.Select(file => Path.GetExtension(file)));
        Assert.All(evidence, file => Assert.True(
            OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file));
        Assert.Contains("<strong>Good.</strong>", await File.ReadAllTextAsync(evidence[0], Token), StringComparison.Ordinal);
        var status = await host.Services.GetRequiredService<BackupStanding>().LookAsync(Token);
        Assert.True(status.Drill!.IsGood);
        Assert.True(status.DrillDue > status.Now);
    }

    [Fact]
    public Task A_drill_whose_copy_lacks_something_fails_and_says_what() => FailAsync(
        ["a document", "an index", "a validator", "a collection", "a user", "a role"],
        [
            new("platform.orders", "1 documents are missing in the copy"), new("platform.orders, index placed", "is missing in the copy"),
            new("platform.orders", "has other options or another validator in the copy"), new("platform.spare", "is missing in the copy"),
            new($"user {Api}", "is missing in the copy"), new("role reader on admin", "is missing in the copy"),
        ]);

    [Fact]
    public Task A_drill_whose_copy_has_something_else_fails_and_says_what() => FailAsync(
        ["a changed document", "a changed index", "a new collection", "a password"],
        [
            new("platform.orders", "1 documents or more are others in the copy"), new("platform.orders, index placed", "is another one in the copy"),
            new("platform.more", "is in the copy, but was not there"), new($"user {Api}", "is another one in the copy"),
        ]);

    [Fact]
    public async Task A_drill_of_a_database_that_is_written_to_all_the_while_finds_nothing_that_is_not_so()
    {
        using var host = await HostAsync();
        var database = fixture.Set.NewDatabase();
        var collection = database.GetCollection<BsonDocument>("busy");
        await collection.InsertManyAsync(Enumerable.Range(0, 2_000).Select(i => new BsonDocument { ["_id"] = i, ["n"] = 0 }), null, Token);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var written = 0;
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(
            async () =>
            {
                var random = new Random(writer);
                while (!end.IsCancellationRequested)
                {
                    var key = new BsonDocument("_id", random.Next(2_400));
                    // None is removed and made the same again, which two looks cannot tell from one that stayed.
                    var change = new BsonDocument("$set", new BsonDocument("n", Interlocked.Increment(ref written)));
                    await (random.Next(4) == 0
                        ? collection.DeleteOneAsync(key, Token)
                        : (Task)collection.UpdateOneAsync(key, change, new UpdateOptions { IsUpsert = true }, Token));
                }
            },
            Token)).ToList();
        try
        {
            for (var i = 0; i < 2; i++)
            {
                var drill = await host.Services.GetRequiredService<Drill>().RunAsync(null, Token);
                Assert.Empty(drill.Findings);
                // It would be no test if most were not compared.
                Assert.InRange(drill.Compared, drill.Documents / 2, drill.Documents);
            }
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(writers);
        }
    }

    [Fact]
    public async Task A_drill_that_cannot_restore_is_evidence_of_that()
    {
        using var host = await HostAsync();
        var options = host.Services.GetRequiredService<IOptions<BackupOptions>>().Value;
        var settings = new BackupOptions
        {
            Directory = options.Directory, PassPhrase = options.PassPhrase, ServerImage = options.ServerImage, NativeScripts = options.NativeScripts,
            GatewayProgram = "/nowhere/at/all", SocketDirectory = options.SocketDirectory,
        };
        var restoring = ActivatorUtilities.CreateInstance<RestoreWork>(host.Services, Options.Create(settings));
        var drill = await ActivatorUtilities.CreateInstance<Drill>(host.Services, restoring).RunAsync(Token);
        var finding = Assert.Single(drill.Findings);
        Assert.StartsWith("ended early: The copy was recovered, but its gateway does not serve", finding.Fault, StringComparison.Ordinal);
        Assert.Null(drill.RestoreSeconds);
        Assert.Empty(Directory.GetDirectories(Path.Combine(fixture.Directory, "scratch")));
    }

    private async Task FailAsync(string[] faults, Finding[] expected)
    {
        using var host = await HostAsync();
        var drill = await host.Services.GetRequiredService<Drill>().RunAsync(
            async copy =>
            {
                foreach (var fault in faults)
                {
                    await SpoilAsync(copy, fault);
                }
            },
            Token);
        Assert.All(expected, finding => Assert.Contains(finding, drill.Findings));
        Assert.False(drill.IsGood);
        Assert.NotNull(drill.RestoreSeconds);

        // The same drill, as everybody sees it afterwards.
        var status = await host.Services.GetRequiredService<BackupStanding>().LookAsync(Token);
        Assert.Equal(drill.Findings, status.Drill!.Findings);
        Assert.Contains(status.Problems, problem => problem.StartsWith("A restore was tried, and failed", StringComparison.Ordinal));
        Assert.Empty(Directory.GetDirectories(Path.Combine(fixture.Directory, "scratch")));
    }

    private async Task<IHost> HostAsync()
    {
        var host = await fixture.HostWithBackupAsync(Token, ("ApiPassword", Password));

        var (admin, database) = (fixture.Set.Client.GetDatabase("admin"), fixture.Set.Client.GetDatabase(ResourceNames.Database));
        if (await database.GetCollection<BsonDocument>(CollectionNames.Orders).EstimatedDocumentCountAsync(null, Token) == 0)
        {
            await database.RunCommandAsync<BsonDocument>(
                BsonDocument.Parse("{ create: 'orders', validator: { $jsonSchema: { required: ['number'] } } }"), null, Token);
            await database.RunCommandAsync<BsonDocument>(
                BsonDocument.Parse("{ createIndexes: 'orders', indexes: [{ name: 'placed', key: { placedAt: 1 } }] }"), null, Token);
            await database.CreateCollectionAsync("spare", null, Token);
            await database.GetCollection<BsonDocument>(CollectionNames.Orders).InsertManyAsync(
                Enumerable.Range(0, 40).Select(seed => new DocumentSamples(CollectionCatalogue.Orders, seed).Valid()), null, Token);
            await admin.RunCommandAsync<BsonDocument>(
                BsonDocument.Parse(
                    "{ createRole: 'reader', privileges: [{ resource: { db: 'platform', collection: 'orders' }, actions: ['find'] }], roles: [] }"),
                null,
                Token);
            await admin.RunCommandAsync<BsonDocument>(
                new BsonDocument { ["createUser"] = Api, ["pwd"] = Password, ["roles"] = new BsonArray { "reader" } }, null, Token);
        }

        return host;
    }

    private static async Task SpoilAsync(RestoredCopy copy, string what)
    {
        using var client = new MongoClient(copy.ConnectionString);
        var (admin, database) = (client.GetDatabase("admin"), client.GetDatabase(ResourceNames.Database));
        var orders = database.GetCollection<BsonDocument>(CollectionNames.Orders);
        await (what switch
        {
            "a document" => orders.DeleteOneAsync(FilterDefinition<BsonDocument>.Empty, Token),
            "a changed document" => orders.UpdateOneAsync(FilterDefinition<BsonDocument>.Empty, BsonDocument.Parse("{ $set: { x: 1 } }"), null, Token),
            "an index" => orders.Indexes.DropOneAsync("placed", Token),
            "a changed index" => ChangeIndexAsync(),
            "a validator" => database.RunCommandAsync<BsonDocument>(BsonDocument.Parse("{ collMod: 'orders', validator: {} }"), null, Token),
            "a collection" => database.DropCollectionAsync("spare", Token),
            "a new collection" => database.CreateCollectionAsync("more", null, Token),
            "a user" => admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", Api), null, Token),
            "a password" => admin.RunCommandAsync<BsonDocument>(new BsonDocument { ["updateUser"] = Api, ["pwd"] = "another" }, null, Token),
            "a role" => admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropRole", "reader"), null, Token),
            _ => throw new ArgumentException(what, nameof(what)),
        });

        async Task ChangeIndexAsync()
        {
            await orders.Indexes.DropOneAsync("placed", Token);
            await database.RunCommandAsync<BsonDocument>(
                BsonDocument.Parse("{ createIndexes: 'orders', indexes: [{ name: 'placed', key: { placedAt: -1 } }] }"), null, Token);
        }
    }
}
