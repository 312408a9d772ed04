using System.Runtime.InteropServices;
using MongoDB.Bson;
using Platform.Migrator.Engine;

namespace Platform.MigrationWorker;

/// <summary>
/// A migration that writes down who ran it, when, and each step. The third runs in a transaction and adds one to a counter, which
/// a repetition would make two.
/// </summary>
internal sealed partial class RaceMigration(int number, bool dies) : Migration
{
    /// <summary>How many migrations a race has.</summary>
    public const int Count = 5;

    private const int Transactional = 3;
    private const int Steps = 3;
    private const int KillSignal = 9;

    public override bool CanBeRepeated => number != Transactional;

    public override bool InTransaction => number == Transactional;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        var log = context.Database.GetCollection<BsonDocument>("log");
        // Outside of the transaction: that it was begun is a fact also when nothing comes of it.
        await WriteAsync("begin", 0);
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
                    await WriteAsync("step", current);
                    if (dies && current == 2 && await log.CountDocumentsAsync(new BsonDocument { { "migration", number }, { "what", "begin" } }, cancellationToken: token) == 1)
                    {
                        await WriteAsync("kill", current);
                        _ = Kill(Environment.ProcessId, KillSignal);
                        await Task.Delay(Timeout.Infinite, CancellationToken.None);
                    }
                },
                cancellationToken);
        }

        await WriteAsync("end", 0);

        Task WriteAsync(string what, int step) => log.InsertOneAsync(
            new BsonDocument
            {
                { "migration", number }, { "what", what }, { "step", step }, { "process", Environment.ProcessId }, { "at", DateTime.UtcNow },
            },
            options: null,
            cancellationToken);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
