using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Validation;
using Platform.Jobs;
using Platform.Migrator.DryRun;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary>
/// What every migration has to pass, on data that its test writes: up, down and up again; run twice; stopped at its commands, one after
/// another, and finished by a second run. A derived class says which migration, writes the data and checks what becomes of it.
/// </summary>
public abstract class MigrationContract(MongoServer server)
{
    // Stopping at each of hundreds of commands would show nothing new.
    private const int Stops = 3;

    // Small, so that little data makes several batches.
    private const int BatchSize = 20;

    /// <summary>The migration's number.</summary>
    protected abstract int Number { get; }

    /// <summary>Whether taking the migration back brings the data back as it was; false when it has no way back. Default: true.</summary>
    protected virtual bool RestoresData => true;

    /// <summary>The collections of the programs' own that the migration changes. Default: none.</summary>
    protected virtual IReadOnlyCollection<string> Bookkeeping => [];

    /// <summary>How strictly the rules hold. Default: fully.</summary>
    protected virtual ValidationOptions Validation { get; } = new();

    /// <summary>Writes data as it is before the migration: all migrations before it are applied.</summary>
    protected abstract Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken);

    /// <summary>Checks what the migration made of the data.</summary>
    protected abstract Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken);

    [Fact]
    public async Task It_goes_up_down_and_up_again()
    {
        var database = await PrepareAsync();
        var before = await SnapshotAsync(database);
        await UpAsync(database, 2);
        await CheckUpAsync(database, Token);
        var after = await SnapshotAsync(database);
        Assert.NotEqual(before, after);

        if (!RestoresData)
        {
            await Assert.ThrowsAsync<JobRefusedException>(() => Runner(database).DownAsync(Environment(database), 1, 3, to: null, Token));
            Assert.Equal(after, await SnapshotAsync(database));
            return;
        }

        await DownAsync(database, 3);
        Assert.Equal(before, await SnapshotAsync(database));

        await UpAsync(database, 4);
        await CheckUpAsync(database, Token);
        Assert.Equal(after, await SnapshotAsync(database));
    }

    [Fact]
    public async Task Run_again_it_changes_nothing()
    {
        var database = await PrepareAsync();
        await UpAsync(database, 2);
        var after = await SnapshotAsync(database);

        // As if the process had been killed after the last change and before the record of it.
        var history = new MongoMigrationHistory(database);
        var record = (await history.ReadAsync(Token)).Single(record => record.Number == Number);
        await history.WriteAsync(record with { State = MigrationState.Running, AppliedAt = null, Steps = [] }, session: null, Token);
        if (CanBeRepeated)
        {
            await UpAsync(database, 3);
            Assert.Equal(after, await SnapshotAsync(database));
            Assert.Empty(await Runner(database).VerifyAsync(Token));
        }
        else
        {
            await Assert.ThrowsAsync<JobRefusedException>(() => UpAsync(database, 3));
        }
    }

    [Fact]
    public async Task Stopped_at_any_command_it_can_be_finished()
    {
        Assert.SkipUnless(CanBeRepeated, "The migration says that it cannot be repeated, so a person has to look; there is nothing to finish by itself.");
        var whole = await PrepareAsync();
        var commands = await UpToAsync(whole, int.MaxValue);
        Assert.True(commands > 0, "The migration sent no command that writes.");
        var finished = await SnapshotAsync(whole);
        for (var i = 0; i < Math.Min(Stops, commands); i++)
        {
            var stop = commands <= Stops ? i : i * (commands - 1) / (Stops - 1);
            var database = await PrepareAsync();
            Assert.Equal(stop, await UpToAsync(database, stop));
            Assert.Contains(await Runner(database).VerifyAsync(Token), problem => problem.Kind == MigrationProblemKind.HalfDone);
            await UpAsync(database, 3);
            Assert.Equal(finished, await SnapshotAsync(database));
        }
    }

    [Fact]
    public async Task Stopped_half_way_it_can_be_taken_the_other_way()
    {
        Assert.SkipUnless(CanBeRepeated && RestoresData, "The migration does not say that it goes both ways from the half of it.");
        var database = await PrepareAsync();
        var before = await SnapshotAsync(database);
        await StopAsync(database, MigrationDirection.Up, 2, commands: 1);
        await DownAsync(database, 3);
        Assert.Equal(before, await SnapshotAsync(database));

        await UpAsync(database, 4);
        var finished = await SnapshotAsync(database);
        await StopAsync(database, MigrationDirection.Down, 5, commands: 1);
        await UpAsync(database, 6);
        Assert.Equal(finished, await SnapshotAsync(database));
    }

    /// <summary>Writes documents, whatever the validators of the latest catalogue say.</summary>
    protected static Task InsertAsync(IMongoDatabase database, string collection, IEnumerable<BsonDocument> documents, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.GetCollection<BsonDocument>(collection).InsertManyAsync(
            documents, new InsertManyOptions { BypassDocumentValidation = true }, cancellationToken);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IReadOnlyList<MigrationDescriptor> Shipped { get; } = MigrationCatalogue.FindIn(typeof(MigrationRunner).Assembly);

    private Migration Migration => Shipped.Single(migration => migration.Id == Number).Migration;

    private bool CanBeRepeated => Migration is { CanBeRepeated: true } or { InTransaction: true };

    private async Task<IMongoDatabase> PrepareAsync()
    {
        var database = Migration.InTransaction ? server.NewDatabase(MongoFeature.Transactions) : server.NewDatabase();
        if (Number > 1)
        {
            var result = await Runner(database).UpAsync(Environment(database), 1, Number - 1, Token);
            Assert.Null(result.Failure?.Sentence);
        }

        await SeedAsync(database, Token);
        return database;
    }

    private async Task UpAsync(IMongoDatabase database, long fence)
    {
        var result = await Runner(database).UpAsync(Environment(database), fence, Number, Token);
        Assert.True(result.Failure is null, result.Failure?.Sentence);
        Assert.Single(result.Done);
    }

    private async Task DownAsync(IMongoDatabase database, long fence)
    {
        var result = await Runner(database).DownAsync(Environment(database), 1, fence, to: null, Token);
        Assert.Null(result.Failure?.Sentence);
        Assert.Single(result.Done);
    }

    private Task<int> UpToAsync(IMongoDatabase database, int commands) => StopAsync(database, MigrationDirection.Up, 2, commands);

    // Lets so many commands that write through and refuses those after; returns how many went through.
    private async Task<int> StopAsync(IMongoDatabase database, MigrationDirection direction, long fence, int commands)
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
        var tapped = tap.Client.GetDatabase(database.DatabaseNamespace.DatabaseName);
        // The records are written past the tap: it is the migration that is stopped.
        var result = direction == MigrationDirection.Up
            ? await Runner(database).UpAsync(Environment(tapped), fence, Number, Token)
            : await Runner(database).DownAsync(Environment(tapped), 1, fence, to: null, Token);
        Assert.True(stopped == result.Failure is not null, result.Failure?.Sentence ?? "It was stopped and did not fail.");
        return passed;
    }

    private static MigrationRunner Runner(IMongoDatabase database) =>
        new(Shipped, new MongoMigrationHistory(database), "test", TimeProvider.System, NullLogger<MigrationRunner>.Instance);

    private MigrationEnvironment Environment(IMongoDatabase database) =>
        new(database, new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance, Validation))
        {
            BatchSize = BatchSize,
        };

    // Everything but the bookkeeping that is none of the migration's concern, as text: collections with their validators and indexes, and all documents.
    private async Task<string> SnapshotAsync(IMongoDatabase database)
    {
        var lines = new List<string>();
        using var cursor = await database.ListCollectionsAsync(cancellationToken: Token);
        foreach (var collection in (await cursor.ToListAsync(Token))
            .Where(collection => !collection["name"].AsString.StartsWith('_') || Bookkeeping.Contains(collection["name"].AsString))
            .OrderBy(collection => collection["name"].AsString, StringComparer.Ordinal))
        {
            var name = collection["name"].AsString;
            lines.Add($"{name} {collection.GetValue("options", new BsonDocument())}");
            var documents = database.GetCollection<BsonDocument>(name);
            using var indexes = await documents.Indexes.ListAsync(Token);
            lines.AddRange((await indexes.ToListAsync(Token)).Select(index => $"{name} index {index}").Order(StringComparer.Ordinal));
            lines.AddRange(
                (await documents.Find(new BsonDocument()).Sort(new BsonDocument("_id", 1)).ToListAsync(Token)).Select(document => $"{name} {document}"));
        }

        return string.Join('\n', lines);
    }
}
