using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Leases;

namespace Platform.MigrationWorker;

/// <summary>
/// One of many migrators. Reads lines: "round DATABASE KILL LEASE_MS" prepares (answer "set"), "go" runs the real runner under the real
/// lease on the database (answer "done JSON"). KILL is the number of the migration in which the first that enters it kills itself.
/// </summary>
internal static class RaceWorker
{
    /// <summary>Between two looks at a lease that another holds.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    public static async Task RunAsync(string uri)
    {
        using var client = new MongoClient(uri);
        await client.GetDatabase("admin").RunCommandAsync<MongoDB.Bson.BsonDocument>(new MongoDB.Bson.BsonDocument("ping", 1));
        await SayAsync("ready");
        Func<Task<RaceAnswer>>? round = null;
        while (await Console.In.ReadLineAsync() is { } line)
        {
            switch (line.Split(' '))
            {
                case ["round", var database, var kill, var lease]:
                    round = Prepare(client.GetDatabase(database), Number(kill), TimeSpan.FromMilliseconds(Number(lease)));
                    await SayAsync("set");
                    break;
                case ["go"] when round is not null:
                    await SayAsync("done " + JsonSerializer.Serialize(await round()));
                    break;
                default:
                    throw new InvalidOperationException($"The line '{line}' was not expected.");
            }
        }
    }

    private static Func<Task<RaceAnswer>> Prepare(IMongoDatabase database, int kill, TimeSpan lease)
    {
        var migrations = Enumerable.Range(1, RaceMigration.Count)
            .Select(number => new MigrationDescriptor(number, "race", $"race {number}", new RaceMigration(number, dies: number == kill)))
            .ToList();
        var time = TimeProvider.System;
        var runner = new MigrationRunner(migrations, new MongoMigrationHistory(database), "race", time, NullLogger<MigrationRunner>.Instance);
        var alone = new SoleWorker(
            new MongoLeaseStore(database),
            new LeaseOptions { Duration = lease, PollInterval = PollInterval, AcquireTimeout = TimeSpan.FromMinutes(2) },
            time,
            NullLogger<SoleWorker>.Instance);
        var environment = new MigrationEnvironment(database, new CatalogueSynchroniser(database, time, NullLogger<CatalogueSynchroniser>.Instance));
        return async () =>
        {
            try
            {
                var result = await alone.RunAsync((fence, token) => runner.UpAsync(environment, fence, to: null, token));
                return new RaceAnswer(result.Done.Count, result.Failure?.Sentence);
            }
            catch (Exception exception)
                when (exception is JobRefusedException or StaleFenceException or LeaseBusyException or LeaseLostException or MongoException)
            {
                return new RaceAnswer(0, exception.Message);
            }
        };
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static async Task SayAsync(string line)
    {
        await Console.Out.WriteLineAsync(line);
        await Console.Out.FlushAsync();
    }
}
