using System.Runtime.InteropServices;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;

namespace Platform.MigrationWorker;

/// <summary>
/// A migration that writes down who ran it, when, and each step. The third runs in a transaction and adds one to a counter, which
/// a repetition would make two.
/// </summary>
internal sealed partial class RaceMigration(int number, bool dies) : Migration
{
    /// <summary>How many migrations a race has.</summary>
    public const int Count = 5;

    /// <summary>The number of the one that runs in a transaction.</summary>
    public const int Transactional = 3;

    private const int Steps = 3;
    private const int KillSignal = 9;

    public override bool CanBeRepeated => number != Transactional;

    public override bool InTransaction => number == Transactional;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        var log = context.Database.GetCollection<BsonDocument>("log");
        // Outside of the transaction: that it was begun is a fact also when nothing comes of it.
        await WriteAsync(log, "begin", 0, cancellationToken);
        try
        {
            await RunAsync(context, log, cancellationToken);
        }
        catch
        {
            // What stops it: the lease was lost, or a transaction met another one and begins again.
            await WriteAsync(log, "stop", 0, CancellationToken.None);
            throw;
        }

        await WriteAsync(log, "end", 0, cancellationToken);
    }

    private async Task RunAsync(MigrationContext context, IMongoCollection<BsonDocument> log, CancellationToken cancellationToken)
    {
        if (context.Session is { } session)
        {
            await context.Database.GetCollection<BsonDocument>("counters").UpdateOneAsync(
                session, new BsonDocument("_id", number), new BsonDocument("$inc", new BsonDocument("n", 1)), cancellationToken: cancellationToken);
        }

        for (var step = 1; step <= Steps; step++)
        {
            var current = step;
            await context.StepAsync(
                $"step {current}",
                async token =>
                {
                    await WriteAsync(log, "step", current, token);
                    if (dies && current == 2 && await IsFirstAsync(context.Database, token))
                    {
                        await WriteAsync(log, "kill", current, token);
                        _ = Kill(Environment.ProcessId, KillSignal);
                        await Task.Delay(Timeout.Infinite, CancellationToken.None);
                    }
                },
                cancellationToken);
        }
    }

    private async Task<bool> IsFirstAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        try
        {
            await database.GetCollection<BsonDocument>("deaths").InsertOneAsync(new BsonDocument("_id", number), options: null, cancellationToken);
            return true;
        }
        catch (MongoWriteException exception) when (exception.WriteError.Category == ServerErrorCategory.DuplicateKey)
        {
            return false;
        }
    }

    // The clock is read before the write: what follows an answer cannot be earlier.
    private Task WriteAsync(IMongoCollection<BsonDocument> log, string what, int step, CancellationToken cancellationToken) => log.InsertOneAsync(
        new BsonDocument
        {
            { "migration", number }, { "what", what }, { "step", step }, { "process", Environment.ProcessId }, { "at", DateTime.UtcNow },
        },
        options: null,
        cancellationToken);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
