using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Stack;

namespace Platform.AppHost.Commands;

internal static class JobCommands
{
    private const int ShownLines = 20;

    /// <summary>Adds the command that runs the migrator once more.</summary>
    public static IResourceBuilder<T> WithMigrateCommand<T>(
        this IResourceBuilder<T> database, IResourceBuilder<ProjectResource> migrator)
        where T : IResource
        => database.WithJobCommand(CommandNames.RunMigrations, "Run migrations", migrator, new CommandOptions
        {
            Description = "Applies what is pending: migrations, collections, validators, indexes.",
            IconName = "ArrowSyncCheckmark",
        });

    /// <summary>
    /// Adds the commands that write the development data that is missing, and that remove what was written.
    /// </summary>
    public static IResourceBuilder<T> WithSeedCommands<T>(
        this IResourceBuilder<T> database, IResourceBuilder<ProjectResource> seeder,
        IResourceBuilder<ProjectResource> cleaner)
        where T : IResource
        => database
            .WithJobCommand(CommandNames.SeedAgain, "Seed again", seeder, new CommandOptions
            {
                Description = "Runs the seeder once more; what is there already stays.",
                IconName = "LeafOne",
            })
            .WithJobCommand(CommandNames.CleanData, "Clean data", cleaner, new CommandOptions
            {
                Description = "Removes what the seeder wrote, and nothing else.",
                ConfirmationMessage = "Remove all development data that the seeder wrote?",
                IconName = "Broom",
            });

    /// <summary>Lets a command be chosen only while its resource is healthy.</summary>
    public static ResourceCommandState OnlyWhileHealthy(UpdateCommandStateContext context)
        => context.ResourceSnapshot.HealthStatus == HealthStatus.Healthy
            ? ResourceCommandState.Enabled
            : ResourceCommandState.Disabled;

    // Runs the job, waits for its end and shows what it printed last.
    private static IResourceBuilder<T> WithJobCommand<T>(
        this IResourceBuilder<T> resource, string name, string displayName, IResourceBuilder<ProjectResource> job,
        CommandOptions options)
        where T : IResource
    {
        options.UpdateState = OnlyWhileHealthy;
        return resource.WithCommand(name, displayName, context => RunAsync(job.Resource, context), options);
    }

    private static async Task<ExecuteCommandResult> RunAsync(ProjectResource job, ExecuteCommandContext context)
    {
        var notifications = context.Services.GetRequiredService<ResourceNotificationService>();
        var commands = context.Services.GetRequiredService<ResourceCommandService>();
        if (notifications.TryGetCurrentState(job.Name, out var current) && IsAtWork(current.Snapshot))
        {
            return CommandResults.Failure($"{job.Name} is already running.");
        }

        // Watched before it starts, so that a short run is not missed.
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var end = NextEndAsync(notifications, job, watching.Token);
        var start = await commands.ExecuteCommandAsync(
            job, KnownResourceCommands.StartCommand, context.CancellationToken);
        if (!start.Success)
        {
            await watching.CancelAsync();
            return start;
        }

        var snapshot = await end;
        var output = string.Join(
            '\n', await context.Services.GetRequiredService<ResourceLoggerService>().LastLinesAsync(job, ShownLines));
        var how = snapshot.ExitCode is { } code ? $"ended with exit code {code}" : "did not start";
        return snapshot.ExitCode == 0
            ? CommandResults.Success($"{job.Name} is done.", output, CommandResultFormat.Text, displayImmediately: true)
            : CommandResults.Failure($"{job.Name} {how}.", output, CommandResultFormat.Text);
    }

    private static bool IsAtWork(CustomResourceSnapshot snapshot)
        => snapshot.State?.Text is { } state && state != KnownResourceStates.NotStarted
            && !KnownResourceStates.TerminalStates.Contains(state);

    private static async Task<CustomResourceSnapshot> NextEndAsync(
        ResourceNotificationService notifications, IResource job, CancellationToken cancellationToken)
    {
        var begun = false;
        await foreach (var change in notifications.WatchAsync(cancellationToken))
        {
            if (change.Resource != job)
            {
                continue;
            }

            // What it was before it began is told first.
            begun |= IsAtWork(change.Snapshot);
            if (begun && KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text))
            {
                return change.Snapshot;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }
}
