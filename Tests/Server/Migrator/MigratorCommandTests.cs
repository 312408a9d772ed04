using System.Text.Json;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Execution;
using Platform.Mongo.Leases;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary>The migrator's command line against a database of its own.</summary>
public sealed class MigratorCommandTests(MongoServer server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrations_run_successfully()
    {
        var database = server.NewDatabase();
        var report = (await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json;
        Assert.Equal(["0001_create_collections", "0002_order_item_count"], Ids(report).Take(2));

        var status = (await RunAsync(database, "status --json")).Expect(ExitCodes.Success).Json;
        Assert.True(status.GetProperty("upToDate").GetBoolean());
        foreach (var migration in status.GetProperty("migrations").EnumerateArray())
        {
            Assert.Equal("applied", migration.GetProperty("state").GetString());
            var run = migration.GetProperty("runs").EnumerateArray().Single();
            Assert.Equal("done", run.GetProperty("outcome").GetString());
            Assert.Equal(System.Environment.MachineName, run.GetProperty("host").GetString());
            Assert.True(run.GetProperty("durationMs").GetDouble() > 0);
            Assert.NotEqual("", run.GetProperty("applicationVersion").GetString());
        }

        Assert.Contains("fits this program", (await RunAsync(database, "verify")).Expect(ExitCodes.Success).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollback_works_correctly()
    {
        var database = server.NewDatabase();
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        var one = (await RunAsync(database, "down --to 1 --json")).Expect(ExitCodes.Success).Json;
        Assert.Equal("0002_order_item_count", Ids(one).Last());
        var all = (await RunAsync(database, "down --to 0 --json")).Expect(ExitCodes.Success).Json;
        Assert.Equal(["0001_create_collections"], Ids(all));
        Assert.DoesNotContain(await NamesAsync(database), name => !name.StartsWith('_'));
        (await RunAsync(database, "status")).Expect(ExitCodes.Refused);
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        (await RunAsync(database, "status")).Expect(ExitCodes.Success);
    }

    [Fact]
    public async Task Migrations_are_idempotent()
    {
        var database = server.NewDatabase();
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        var before = await RecordsAsync(database);
        var again = (await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json;
        Assert.Empty(Ids(again));
        Assert.Empty(again.GetProperty("changes").EnumerateArray());
        Assert.Equal(before, await RecordsAsync(database));
    }

    [Fact]
    public async Task Migration_versioning_is_validated()
    {
        var database = server.NewDatabase();
        (await RunAsync(database, "up --to 1")).Expect(ExitCodes.Success);
        Assert.Contains("0002_order_item_count", (await RunAsync(database, "status")).Expect(ExitCodes.Refused).Output, StringComparison.Ordinal);
        (await RunAsync(database, "verify")).Expect(ExitCodes.Success);

        // What a newer program leaves.
        var records = database.GetCollection<BsonDocument>(CollectionNames.Migrations);
        var newer = await records.Find(new BsonDocument("number", 1)).SingleAsync(Token);
        newer["_id"] = "9999_of_the_future";
        newer["number"] = 9999;
        newer["applicationVersion"] = "99.0";
        await records.InsertOneAsync(newer, options: null, Token);
        var refusal = (await RunAsync(database, "up")).Expect(ExitCodes.Refused);
        Assert.Contains(
            "9999_of_the_future, which this program does not know; use the program of version 99.0 or later.", refusal.Errors, StringComparison.Ordinal);
        var problems = (await RunAsync(database, "verify --json")).Expect(ExitCodes.Refused).Json.GetProperty("problems");
        Assert.Contains(problems.EnumerateArray(), problem => problem.GetProperty("kind").GetString() == "newer");
        await records.DeleteOneAsync(new BsonDocument("number", 9999), Token);

        // An edited migration.
        await records.UpdateOneAsync(new BsonDocument("number", 1), new BsonDocument("$set", new BsonDocument("checksum", "other")), cancellationToken: Token);
        Assert.Contains("changed after it was applied", (await RunAsync(database, "up")).Expect(ExitCodes.Refused).Errors, StringComparison.Ordinal);
        Assert.Contains("changed: ", (await RunAsync(database, "verify")).Expect(ExitCodes.Refused).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migration_errors_are_handled()
    {
        var database = server.NewDatabase();
        // Two users of one address, which the unique index of the first migration does not allow.
        var users = database.GetCollection<BsonDocument>(CollectionNames.Users);
        var first = new DocumentSamples(CollectionCatalogue.Users, seed: 1).Valid();
        var second = new BsonDocument(first) { ["_id"] = ObjectId.GenerateNewId() };
        await users.InsertManyAsync([first, second], cancellationToken: Token);

        var failed = (await RunAsync(database, "up --json")).Expect(ExitCodes.Failure);
        Assert.Contains("migrator: Migration 0001_create_collections failed", failed.Errors, StringComparison.Ordinal);
        Assert.Equal("0001_create_collections", failed.Json.GetProperty("failure").GetProperty("id").GetString());

        var status = (await RunAsync(database, "status")).Expect(ExitCodes.Refused);
        Assert.Contains("failed", status.Output, StringComparison.Ordinal);
        Assert.Contains("half-done: 0001_create_collections on its way up", status.Output, StringComparison.Ordinal);
        Assert.Contains("halfdone: ", (await RunAsync(database, "verify")).Expect(ExitCodes.Refused).Output, StringComparison.Ordinal);

        await users.DeleteManyAsync(new BsonDocument(), Token);
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        var record = await database.GetCollection<BsonDocument>(CollectionNames.Migrations).Find(new BsonDocument("number", 1)).SingleAsync(Token);
        Assert.Equal(["failed", "done"], record["runs"].AsBsonArray.Select(run => run["outcome"].AsString));
    }

    [Fact]
    public async Task A_dry_run_writes_nothing_and_needs_no_right_to()
    {
        var database = server.NewDatabase(MongoFeature.Users);
        var reader = "reader" + Guid.NewGuid().ToString("N")[..8];
        var admin = server.Client.GetDatabase("admin");
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", reader }, { "pwd", "reads, only" }, { "roles", new BsonArray { "readAnyDatabase" } } },
            cancellationToken: Token);
        try
        {
            await DryRunsAsync(database, server.ConnectionStringOf(reader, "reads, only", database));
        }
        finally
        {
            await admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", reader), cancellationToken: Token);
        }
    }

    [Fact]
    public async Task A_database_from_before_gets_a_baseline()
    {
        var database = server.NewDatabase();
        Assert.Contains("run 'migrator up'", (await RunAsync(database, "baseline --to 1")).Expect(ExitCodes.Refused).Errors, StringComparison.Ordinal);

        await database.CreateCollectionAsync(CollectionNames.Orders, cancellationToken: Token);
        (await RunAsync(database, "baseline --to 1")).Expect(ExitCodes.Success);
        Assert.Contains("baseline", (await RunAsync(database, "status")).Expect(ExitCodes.Refused).Output, StringComparison.Ordinal);
        var rest = (await RunAsync(database, "up --json")).Expect(ExitCodes.Success).Json;
        Assert.DoesNotContain("0001_create_collections", Ids(rest));
        Assert.Contains("history already", (await RunAsync(database, "baseline --to 1")).Expect(ExitCodes.Refused).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_probe_hears_by_the_exit_code_how_the_database_stands()
    {
        var database = server.NewDatabase();
        var pending = (await RunAsync(database, "status --exit-code")).Expect(ExitCodes.Refused).Output;
        Assert.StartsWith(
            "The database is not up to date: 0001_create_collections is pending; 0002_order_item_count is pending", pending, StringComparison.Ordinal);
        Assert.Single(pending.TrimEnd().Split('\n'));

        var leases = new MongoLeaseStore(database);
        var held = await leases.TryAcquireAsync(SoleWorker.LeaseName, "another", "another machine", TimeSpan.FromMinutes(1), Token);
        Assert.Equal("another", held.Owner);
        var busy = (await RunAsync(database, "status --exit-code")).Expect(ExitCodes.Busy).Output;
        Assert.StartsWith("A migrator is at work (another machine): 0001_create_collections is pending", busy, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Busy, (await RunAsync(database, "status --exit-code --json")).Expect(ExitCodes.Busy).ExitCode);
        (await RunAsync(database, "status")).Expect(ExitCodes.Refused);
        await leases.ReleaseAsync(SoleWorker.LeaseName, "another", held.Fence, Token);

        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        Assert.Equal("The database is up to date.", (await RunAsync(database, "status --exit-code")).Expect(ExitCodes.Success).Output.TrimEnd());
    }

    [Fact]
    public async Task A_job_that_waits_outlasts_the_setting()
    {
        var database = server.NewDatabase();
        var leases = new MongoLeaseStore(database);
        var held = await leases.TryAcquireAsync(SoleWorker.LeaseName, "another", "another machine", TimeSpan.FromMinutes(1), Token);
        var impatient = ("Migrator__LeaseTimeout", "00:00:00");
        (await JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), "up", Token, impatient)).Expect(ExitCodes.Busy);

        await using var waiting = JobProgram.Migrator.Start(server.ConnectionStringOf(database), ["up", "--wait"], impatient);
        await waiting.UntilAsync(
            () => Task.FromResult(waiting.Lines.Any(line => line.Contains("held by another machine", StringComparison.Ordinal))), Token);
        await leases.ReleaseAsync(SoleWorker.LeaseName, "another", held.Fence, Token);

        await waiting.UntilEndedAsync();
        Assert.Equal((ExitCodes.Success, true), (waiting.ExitCode, waiting.Output.Contains("The database is up to date", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_way_back_that_loses_data_is_refused_before_anything_is_taken_back()
    {
        var database = server.NewDatabase();
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        await database.GetCollection<BsonDocument>(CollectionNames.Orders).InsertOneAsync(
            new DocumentSamples(CollectionCatalogue.Orders, seed: 1).Valid(), options: null, Token);

        var refused = (await RunAsync(database, "down --to 0")).Expect(ExitCodes.Refused).Errors;
        Assert.Contains("The collection orders is not empty, so it is not dropped", refused, StringComparison.Ordinal);
        Assert.Contains("--allow-data-loss", refused, StringComparison.Ordinal);
        (await RunAsync(database, "status")).Expect(ExitCodes.Success);

        (await RunAsync(database, "down --to 0 --allow-data-loss")).Expect(ExitCodes.Success);
        Assert.DoesNotContain(await NamesAsync(database), name => !name.StartsWith('_'));
    }

    [Fact]
    public async Task A_half_done_migration_is_resolved_only_when_it_is_one()
    {
        var database = server.NewDatabase();
        (await RunAsync(database, "up")).Expect(ExitCodes.Success);
        Assert.Contains("is not half-done", (await RunAsync(database, "resolve 1 --applied")).Expect(ExitCodes.Refused).Errors, StringComparison.Ordinal);
        await database.GetCollection<BsonDocument>(CollectionNames.Migrations).UpdateOneAsync(
            new BsonDocument("number", 1), new BsonDocument("$set", new BsonDocument("state", "running")), cancellationToken: Token);
        Assert.Contains("recorded as applied", (await RunAsync(database, "resolve 1 --applied")).Expect(ExitCodes.Success).Output, StringComparison.Ordinal);
        (await RunAsync(database, "verify")).Expect(ExitCodes.Success);
    }

    private async Task DryRunsAsync(IMongoDatabase database, string asReader)
    {
        var text = (await JobProgram.Migrator.RunAsync(asReader, "up --dry-run", Token)).Expect(ExitCodes.Success).Output;
        Assert.Contains("would run: 0001_create_collections", text, StringComparison.Ordinal);
        Assert.Contains("would send: { \"create\" : \"orders\"", text, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", text, StringComparison.Ordinal);
        Assert.Empty(await NamesAsync(database));

        (await RunAsync(database, "up --to 1")).Expect(ExitCodes.Success);
        var order = new DocumentSamples(CollectionCatalogue.Orders, seed: 1).Valid();
        order.Remove("itemCount");
        await database.GetCollection<BsonDocument>(CollectionNames.Orders).InsertOneAsync(order, options: null, Token);
        var report = (await JobProgram.Migrator.RunAsync(asReader, "up --dry-run --json", Token)).Expect(ExitCodes.Success).Json;
        var withheld = report.GetProperty("withheld").EnumerateArray().First(command => command.GetProperty("command").GetString() == "update");
        Assert.Equal(("update", "orders"), (withheld.GetProperty("command").GetString(), withheld.GetProperty("collection").GetString()));
        Assert.False((await database.GetCollection<BsonDocument>(CollectionNames.Orders).Find(new BsonDocument()).SingleAsync(Token)).Contains("itemCount"));

        var down = (await JobProgram.Migrator.RunAsync(asReader, "down --dry-run --json", Token)).Expect(ExitCodes.Refused);
        Assert.Contains("orders is not empty", down.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    private Task<ProgramResult> RunAsync(IMongoDatabase database, string arguments) =>
        JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), arguments, Token);

    private static IEnumerable<string?> Ids(JsonElement report) =>
        report.GetProperty("migrations").EnumerateArray().Select(migration => migration.GetProperty("id").GetString());

    private static async Task<List<string>> NamesAsync(IMongoDatabase database)
    {
        using var cursor = await database.ListCollectionNamesAsync(cancellationToken: Token);
        return await cursor.ToListAsync(Token);
    }

    private static async Task<string> RecordsAsync(IMongoDatabase database) => string.Join(
        '\n',
        await database.GetCollection<BsonDocument>(CollectionNames.Migrations).Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).ToListAsync(Token));
}
