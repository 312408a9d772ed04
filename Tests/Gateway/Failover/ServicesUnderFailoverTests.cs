using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Gateway.Failover;

/// <summary>The platform's services while the primary of their replica set is killed, stands still and steps down.</summary>
public sealed class ServicesUnderFailoverTests(ReplicaSetFixture set, ITestOutputHelper output) : IClassFixture<ReplicaSetFixture>
{
    private const int Orders = 600;
    private const int Callers = 12;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Orders_are_neither_lost_nor_doubled_and_callers_get_an_answer_or_are_told_to_come_again()
    {
        var database = set.NewDatabase();
        var load = await OrderLoad.PrepareAsync(database, Orders, seed: 1, Cancel);
        await using (var api = await ApiProcess.StartHealthyAsync(Uri(database), ApiProcess.NoCache, [], Cancel))
        {
            var running = load.RunAsync(api.Client, Callers, Cancel);
            foreach (var (share, fail) in new (int, Func<ReplicaSetMember, Task>)[] { (5, KillAsync), (35, StandStillAsync), (65, StepDownAsync) })
            {
                await UntilPlacedAsync(database, running, Orders * share / 100);
                await fail(await set.PrimaryAsync(Cancel));
                await set.UntilWholeAsync(Cancel);
            }

            await running;
            await load.CheckAnswersAsync(api.Client, Cancel);
            Assert.DoesNotContain("Unhandled", api.Process.Output, StringComparison.OrdinalIgnoreCase);
        }

        await load.DeliverAsync(Cancel);
        var wrong = await load.AuditAsync(Cancel);
        output.WriteLine(load.Summary);
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public async Task At_most_one_migrator_works_at_a_time_and_the_work_goes_on()
    {
        var database = set.NewDatabase();
        var options = new LeaseOptions { Duration = TimeSpan.FromSeconds(6), PollInterval = TimeSpan.FromMilliseconds(100) };
        var turns = new ConcurrentQueue<(long Fence, int Worker)>();
        var (working, met) = (0, 0);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var workers = Enumerable.Range(0, 3).Select(number => Task.Run(async () =>
        {
            using var client = new MongoClient(Uri(database));
            var worker = new SoleWorker(
                new MongoLeaseStore(client.GetDatabase(database.DatabaseNamespace.DatabaseName)),
                options,
                TimeProvider.System,
                NullLogger<SoleWorker>.Instance);
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await worker.RunAsync(
                        async (fence, token) =>
                        {
                            if (Interlocked.Increment(ref working) != 1)
                            {
                                Interlocked.Increment(ref met);
                            }

                            try
                            {
                                turns.Enqueue((fence, number));
                                await Task.Delay(TimeSpan.FromMilliseconds(200), token);
                                return true;
                            }
                            finally
                            {
                                Interlocked.Decrement(ref working);
                            }
                        },
                        stop.Token);
                }
                catch (Exception exception) when (exception is MongoException or TimeoutException)
                {
                    // The lease could not be asked for; a job ends then, and is started again.
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    return;
                }
            }
        })).ToArray();

        foreach (var fail in (Func<ReplicaSetMember, Task>[])[KillAsync, StandStillAsync, StepDownAsync])
        {
            await UntilMoreAsync(turns, 5);
            await fail(await set.PrimaryAsync(Cancel));
            await set.UntilWholeAsync(Cancel);
        }

        await UntilMoreAsync(turns, 5);
        await stop.CancelAsync();
        await Task.WhenAll(workers);

        Assert.Equal(0, met);
        var fences = turns.Select(turn => turn.Fence).ToList();
        Assert.Equal(fences.Order(), fences);
        Assert.Equal(fences.Distinct().Count(), fences.Count);
    }

    [Fact]
    public async Task The_migrator_and_the_seeder_do_their_work_across_failovers()
    {
        var database = set.NewDatabase();
        await DuringAsync(JobProgram.Migrator.Start(Uri(database), "up"), () => ExistsAsync(database, CollectionNames.Products), KillAsync);
        var status = await JobProgram.Migrator.RunAsync(Uri(database), "status", Cancel);
        status.Expect(ExitCodes.Success);

        await DuringAsync(
            JobProgram.Seeder.Start(Uri(database)),
            async () => await database.GetCollection<BsonDocument>(CollectionNames.Products).EstimatedDocumentCountAsync(null, Cancel) > 0,
            KillAsync);
        var verified = await JobProgram.Seeder.RunAsync(Uri(database), "verify", Cancel);
        verified.Expect(ExitCodes.Success);
    }

    // A job comes to a point, the primary fails, and the job ends well.
    private async Task DuringAsync(ServerProcess job, Func<Task<bool>> isThere, Func<ReplicaSetMember, Task> fail)
    {
        await using (job)
        {
            await Wait.UntilAsync(async () => !job.IsRunning || await isThere(), () => $"the job has come to work. {job.Output}", Wait.Patience, Cancel);
            Assert.True(job.IsRunning, $"The job was done before anything failed: {job.Output}");
            await fail(await set.PrimaryAsync(Cancel));
            await job.UntilEndedAsync();
            Assert.True(job.ExitCode == ExitCodes.Success, $"The job ended with exit code {job.ExitCode}: {job.Output}");
        }

        await set.UntilWholeAsync(Cancel);
    }

    private string Uri(IMongoDatabase database)
    {
        var url = new MongoUrlBuilder(set.ConnectionString) { DatabaseName = database.DatabaseNamespace.DatabaseName };
        return url.ToString();
    }

    private static async Task<bool> ExistsAsync(IMongoDatabase database, string collection) =>
        (await (await database.ListCollectionNamesAsync(cancellationToken: Cancel)).ToListAsync(Cancel)).Contains(collection);

    private static async Task UntilPlacedAsync(IMongoDatabase database, Task running, int orders) => await Wait.UntilAsync(
        async () => running.IsCompleted
            || await database.GetCollection<BsonDocument>(CollectionNames.Orders)
                .CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, null, Cancel) >= orders,
        () => $"{orders} orders are placed",
        TimeSpan.FromMinutes(2),
        Cancel);

    private static Task UntilMoreAsync(ConcurrentQueue<(long Fence, int Worker)> turns, int more)
    {
        var before = turns.Count;
        return Wait.UntilAsync(() => turns.Count >= before + more, "the lease was taken some times more", Cancel);
    }

    private static async Task KillAsync(ReplicaSetMember primary)
    {
        await primary.KillAsync();
        primary.Start();
    }

    // For longer than the others wait for it.
    private async Task StandStillAsync(ReplicaSetMember primary)
    {
        primary.Stop();
        try
        {
            await Wait.UntilAsync(async () => await set.PrimaryAsync(Cancel) != primary, "another member is the primary", Cancel);
        }
        finally
        {
            primary.Continue();
        }
    }

    private static async Task StepDownAsync(ReplicaSetMember primary)
    {
        using var client = new MongoClient(primary.DirectConnectionString);
        await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument { { "replSetStepDown", 10 }, { "secondaryCatchUpPeriodSecs", 10 } }, ReadPreference.Primary, Cancel);
    }
}
