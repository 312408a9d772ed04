using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Xunit;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>
/// The states of docs/migrations.md against a model: programs with wrong clocks are run against one database, fail, refuse, are killed
/// and stopped at any of their await points, and are edited in between. A step that is done is not run again, a command runs what it may
/// and nothing else, and the status is true after each.
/// </summary>
public sealed class MigrationStateTests
{
    private const int Cases = 2_500;
    private const int Commands = 14;

    [Fact]
    public async Task Whatever_happens_no_step_that_is_done_is_run_again_and_the_status_is_true()
    {
        var server = new ModelServer();
        for (var seed = 1; seed <= Cases; seed++)
        {
            var world = new ModelWorld(server, seed);
            if (world.Random.NextDouble() < 0.15)
            {
                await BaselineAsync(world);
            }

            for (var i = 0; i < Commands; i++)
            {
                await CommandAsync(world);
                await CheckAsync(world);
            }

            await FinishAsync(world);
        }
    }

    private static async Task CommandAsync(ModelWorld world)
    {
        var process = NewProcess(world);
        var count = world.Sources.Count;
        switch (world.Random.Next(10))
        {
            case < 4:
                await MigrateAsync(world, process, MigrationDirection.Up, to: world.Random.Next(3) == 0 ? world.Random.Next(1, count + 1) : null);
                break;
            case < 6:
                await MigrateAsync(world, process, MigrationDirection.Down, to: world.Random.Next(3) == 0 ? world.Random.Next(0, count + 1) : null);
                break;
            case 6:
                world.Edit(world.Random.Next(count));
                break;
            case 7 when Edited(world) is var edited and >= 0:
                world.Restore(edited);
                break;
            default:
                await ResolveAsync(
                    world,
                    process,
                    HalfDone(world) is var half and >= 0 ? half : world.Random.Next(count),
                    world.Random.GetItems(Enum.GetValues<MigrationResolution>(), 1)[0]);
                break;
        }
    }

    private static ModelProcess NewProcess(ModelWorld world) => new(
        (ModelFault)world.Random.Next(4), world.Random.Next(0, 28), world.Random.Next(1, 5));

    private static async Task MigrateAsync(ModelWorld world, ModelProcess process, MigrationDirection direction, int? to)
    {
        var steps = to is null ? world.Random.Next(1, 3) : int.MaxValue;
        var blocked = Blocked(world, direction);
        var expected = Expected(world, direction, to, steps);
        MigrationResult? result = null;
        var end = await world.RunAsync(direction.ToString(), process, async (runner, environment, fence, token) => result = direction == MigrationDirection.Up
            ? await runner.UpAsync(environment, fence, to, token)
            : await runner.DownAsync(environment, steps, fence, to, token));
        world.Require(!blocked || (process.Entered.Count == 0 && end is not null), "what has to be looked at first was run");
        world.Require(blocked || process.Refused || end is not JobRefusedException, $"refused: {end?.Message}");
        world.Require(
            process.Entered.SequenceEqual(expected.Take(process.Entered.Count)),
            $"ran {string.Join(", ", process.Entered)} and not {string.Join(", ", expected)}");
        world.Require(end is not null || result!.Failure is not null || process.Entered.Count == expected.Count, "not all was run");
    }

    private static async Task ResolveAsync(ModelWorld world, ModelProcess process, int i, MigrationResolution resolution)
    {
        var halfDone = world.Truth[i].Begun is not null;
        var end = await world.RunAsync("resolve", process, (runner, _, fence, token) => runner.ResolveAsync(i + 1, resolution, fence, token));
        world.Require(halfDone || end is not null, "resolved what is not half-done");
        world.Require(!halfDone || end is not JobRefusedException, $"refused: {end?.Message}");
    }

    // A database that had it all before. Somebody who sees it interrupted repeats it, and until then nothing can be run.
    private static async Task BaselineAsync(ModelWorld world)
    {
        var to = world.Random.Next(1, world.Sources.Count + 1);
        for (var i = 0; i < to; i++)
        {
            world.Truth[i] = new ModelTruth { IsClean = false, IsComplete = true };
        }

        while (await world.RunAsync("baseline", NewProcess(world), (runner, _, fence, token) => runner.BaselineAsync(to, fence, token)) is { } end)
        {
            world.Require(end is not JobRefusedException, $"refused: {end.Message}");
            var records = await world.Records.ReadAsync(TestContext.Current.CancellationToken);
            if (records.Count > 0 && records.Count < to)
            {
                foreach (var direction in Enum.GetValues<MigrationDirection>())
                {
                    var process = new ModelProcess(ModelFault.None, 0, 0);
                    var refused = await world.RunAsync("up", process, (runner, environment, fence, token) => direction == MigrationDirection.Up
                        ? runner.UpAsync(environment, fence, cancellationToken: token)
                        : runner.DownAsync(environment, 1, fence, cancellationToken: token));
                    world.Require(
                        refused is JobRefusedException && refused.Message.Contains("baseline", StringComparison.Ordinal),
                        "an interrupted baseline was built upon");
                }
            }
        }

        await CheckAsync(world);
    }

    // What is to be run by a command, as long as nothing stops it.
    private static List<string> Expected(ModelWorld world, MigrationDirection direction, int? to, int steps)
    {
        var numbers = Enumerable.Range(1, world.Sources.Count).Where(number => direction == MigrationDirection.Up
            ? !IsApplied(world.Truth[number - 1]) && number <= (to ?? int.MaxValue)
            : (IsApplied(world.Truth[number - 1]) || world.Truth[number - 1].Begun is not null) && number > (to ?? 0));
        return [.. (direction == MigrationDirection.Up ? numbers : numbers.Reverse().Take(steps)).Select(number => $"{direction} {number}")];
    }

    private static bool IsApplied(ModelTruth truth) => truth is { IsComplete: true, Begun: null };

    private static bool Blocked(ModelWorld world, MigrationDirection direction) => world.Truth.Zip(world.Sources).Any(of =>
        (of.First.Begun is not null && !of.Second.CanBeRepeated && of.First.MayGoOn != direction) || IsEdited(of.First, of.Second));

    private static bool IsEdited(ModelTruth truth, ModelSource source) => IsApplied(truth) && truth.Checksum != source.Checksum;

    private static int Edited(ModelWorld world) => Enumerable.Range(0, world.Sources.Count).FirstOrDefault(i => IsEdited(world.Truth[i], world.Sources[i]), -1);

    private static int HalfDone(ModelWorld world) => world.Truth.FindIndex(truth => truth.Begun is not null);

    private static async Task CheckAsync(ModelWorld world)
    {
        var runner = world.Runner(new ModelProcess(ModelFault.None, 0, 0));
        var (migrations, lease) = await runner.StatusAsync(world.Leases, TestContext.Current.CancellationToken);
        var problems = await runner.VerifyAsync(TestContext.Current.CancellationToken);
        foreach (var migration in migrations)
        {
            var truth = world.Truth[migration.Number - 1];
            var standing = truth.Begun is not null ? MigrationStanding.HalfDone : truth.IsComplete ? MigrationStanding.Applied : MigrationStanding.Pending;
            world.Require(truth.Begun is not null || truth.IsComplete != truth.IsClean, "the model is wrong");
            world.Require(migration.Standing == standing, $"{migration.Number} is {standing} and said to be {migration.Standing}");
            world.Require(
                truth.Begun is null || migration.Direction == truth.Begun,
                $"{migration.Number} is on its way {truth.Begun} and said to be on its way {migration.Direction}");
            world.Require(
                truth.Begun is null || truth.Finished.IsSubsetOf(migration.Steps),
                $"of {migration.Number} {string.Join(", ", truth.Finished)} is done and not only {string.Join(", ", migration.Steps)}");
            world.Require(!migration.AtWork || (lease is { IsHeld: true } && world.Process.IsDead), $"somebody is said to be at work on {migration.Number}");
            world.Require(
                migration.AtWork || migration.State != MigrationState.Running || !world.Process.IsDead || migration.Number != world.Current,
                $"nobody is said to be at work on {migration.Number}, and the lease of the one who died is not over");
            world.Require(migration.State != MigrationState.Failed || migration.Error is not null, $"{migration.Number} failed for no reason");
            world.Require(
                problems.Any(
                    problem => problem.Id == migration.Id && problem.Kind == MigrationProblemKind.HalfDone) == (standing == MigrationStanding.HalfDone),
                $"{migration.Number} is {standing} and verified otherwise");
        }

        world.Require(
            problems.All(problem => problem.Kind is MigrationProblemKind.HalfDone or MigrationProblemKind.Changed),
            $"there is a problem with the history: {string.Join(' ', problems.Select(problem => problem.Sentence))}");
        world.Elapse();
        (migrations, lease) = await runner.StatusAsync(world.Leases, TestContext.Current.CancellationToken);
        world.Require(lease is not { IsHeld: true } && migrations.All(migration => !migration.AtWork), "somebody who is dead is said to be at work");
    }

    // However it stands, what the page says leads out of it.
    private static async Task FinishAsync(ModelWorld world)
    {
        world.MayRefuse = false;
        while (Edited(world) is var edited and >= 0)
        {
            world.Restore(edited);
        }

        if (HalfDone(world) is var half and >= 0 && !world.Sources[half].CanBeRepeated)
        {
            var truth = world.Truth[half];
            await ResolveAsync(
                world,
                Healthy(),
                half,
                truth.IsComplete ? MigrationResolution.Applied : truth.IsClean ? MigrationResolution.Pending : MigrationResolution.Resume);
            if (world.Truth[half].MayGoOn == MigrationDirection.Down)
            {
                world.Sources[half] = world.Sources[half] with { HasWayBack = true };
                await MigrateAsync(world, Healthy(), MigrationDirection.Down, half);
            }
        }

        await MigrateAsync(world, Healthy(), MigrationDirection.Up, to: null);
        await CheckAsync(world);
        world.Require(world.Truth.TrueForAll(IsApplied), "not all is applied in the end");
        world.Require(await world.Runner(Healthy()).VerifyAsync(TestContext.Current.CancellationToken) is [], "the history does not fit in the end");

        static ModelProcess Healthy() => new(ModelFault.None, 0, 0);
    }
}
