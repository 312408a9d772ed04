using System.CommandLine;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Sharding;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator sharding plan</c>, <c>apply</c> and <c>status</c>: what is declared of shards, and the cluster.</summary>
internal sealed class ShardingCommands(ICluster cluster, IMongoDatabase database, IOptions<ShardingOptions> options)
{
    private readonly ShardingWork _work = new(cluster, database.DatabaseNamespace.DatabaseName, options.Value);

    /// <summary>Makes the command <c>plan</c>.</summary>
    public static Command CreatePlan() => MigratorJob.Report<ShardingCommands, ShardingPlanReport>(
        new Command(
            "plan",
            "Show the commands that make a cluster what the catalogue and the settings Sharding__* declare, in order and with reasons, as mongosh "
                + "takes them. Changes nothing. Exits with 2 when a cluster differs."),
        (sharding, _, token) => sharding._work.PlanAsync(token),
        ShardingText.Print,
        report => report.InLine);

    /// <summary>Makes the command <c>status</c>.</summary>
    public static Command CreateStatus() => MigratorJob.Report<ShardingCommands, ShardingStatusReport>(
        new Command(
            "status",
            "Show shards, zones, ranges, sizes, the balancer, and what is jumbo, orphaned or draining. Exits with 2 when a cluster is not as declared."),
        (sharding, _, token) => sharding._work.StatusAsync(token),
        ShardingText.Print,
        report => report.InLine);

    /// <summary>Makes the command <c>apply</c>.</summary>
    public static Command CreateApply()
    {
        var moves = new Option<bool>("--allow-moves")
        {
            Description = "Send also what moves data that was placed on purpose: another shard key, another zone of a tenant, a zone that is not "
                + "declared any more.",
        };
        return MigratorJob.Report<ShardingApply, ShardingApplyReport>(
            new Command(
                "apply",
                "Make a cluster what is declared; alone, as the migrations are, and not while one is half-done. Can be interrupted and run again. Exits with 2 "
                    + "when something is left, or the server is no mongos.") { moves },
            (apply, result, token) => apply.RunAsync(
                result.GetValue(moves), result.GetValue(JobCommandLine.Json) ? Console.Error : Console.Out, token),
            ShardingText.Print,
            report => report.Complete);
    }
}

/// <summary>Applies, when no other migrator is at work and no migration is half-done.</summary>
internal sealed class ShardingApply(SoleWorker alone, MigrationRunner runner, ICluster cluster, IMongoDatabase database, IOptions<ShardingOptions> options)
{
    /// <exception cref="JobRefusedException">A migration is half-done, the server is no cluster, or something stands in the way.</exception>
    public Task<ShardingApplyReport> RunAsync(bool allowMoves, TextWriter progress, CancellationToken cancellationToken) => alone.RunAsync(
        async (_, token) =>
        {
            var dirty = (await runner.VerifyAsync(token))
                .FirstOrDefault(problem => problem.Kind is MigrationProblemKind.HalfDone or MigrationProblemKind.InterruptedBaseline);
            if (dirty is not null)
            {
                throw new JobRefusedException(dirty.Sentence);
            }

            return await new ShardingWork(cluster, database.DatabaseNamespace.DatabaseName, options.Value).ApplyAsync(
                allowMoves,
                (step, number, count) => progress.WriteLine($"{number}/{count} {step.Subject}: {step.Shell()}"),
                token);
        },
        cancellationToken);
}
