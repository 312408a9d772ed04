using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>A migration that does nothing but tell the world what it does, and refuses now and then.</summary>
internal sealed class ModelMigration(ModelWorld world, int number, ModelSource source) : Migration
{
    public override bool CanBeRepeated => source.CanBeRepeated;

    public override bool InTransaction => source.InTransaction;

    public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) =>
        RunAsync(MigrationDirection.Up, context, cancellationToken);

    public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        if (source.HasWayBack)
        {
            return RunAsync(MigrationDirection.Down, context, cancellationToken);
        }

        world.Process.Entered.Add($"{MigrationDirection.Down} {number}");
        world.Process.Refused = true;
        return base.DownAsync(context, cancellationToken);
    }

    private async Task RunAsync(MigrationDirection direction, MigrationContext context, CancellationToken cancellationToken)
    {
        var process = world.Process;
        world.Enter(number, direction);
        await process.PassAsync();
        RefuseNowAndThen(0.06);
        if (source.Steps.Count == 0)
        {
            world.Change(number, context.Session is not null);
            await process.PassAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }

        foreach (var step in direction == MigrationDirection.Up ? source.Steps : source.Steps.Reverse())
        {
            await context.StepAsync(
                step,
                async token =>
                {
                    world.StepBegins(number, direction, step, context.Session is not null);
                    await process.PassAsync();
                    token.ThrowIfCancellationRequested();
                    RefuseNowAndThen(0.03);
                    world.Change(number, context.Session is not null);
                    await process.PassAsync();
                    process.Returned.Add(step);
                },
                cancellationToken);
            await process.PassAsync();
            // Too late, as far as the contract goes: it is no refusal any more.
            RefuseNowAndThen(0.03);
        }

        world.End(number, direction, context.Session is not null);
    }

    private void RefuseNowAndThen(double probability)
    {
        if (world.MayRefuse && world.Random.NextDouble() < probability)
        {
            world.Process.Refused = true;
            throw new JobRefusedException("Not with this data.");
        }
    }
}
