using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>The commands start, stop and restart of processes.</summary>
internal static class LifecycleCommands
{
    public static void AddTo(IResource resource, ApplicationOrchestrator orchestrator)
    {
        Add(
            KnownResourceCommands.StartCommand, "Start", "Start the resource.", "Play", IconVariant.Filled, highlighted: true, StartState, orchestrator.StartAsync);
        Add(
            KnownResourceCommands.StopCommand, "Stop", "Stop the resource.", "Stop", IconVariant.Filled, highlighted: true, StopState, orchestrator.StopAsync);
        Add(
            KnownResourceCommands.RestartCommand,
            "Restart",
            "Stop the resource and start it again.",
            "ArrowCounterclockwise",
            IconVariant.Regular,
            highlighted: false,
            RestartState,
            orchestrator.StartAsync); // a start stops what runs

        void Add(
            string name,
            string displayName,
            string description,
            string icon,
            IconVariant variant,
            bool highlighted,
            Func<string?, ResourceCommandState> state,
            Func<string, CancellationToken, Task> run)
        {
            if (resource.Annotations.OfType<ResourceCommandAnnotation>().Any(c => c.Name == name))
            {
                return; // the model has a command of its own under this name
            }

            resource.Annotations.Add(new ResourceCommandAnnotation(
                name,
                displayName,
                context => state(context.ResourceSnapshot.State?.Text),
                async context =>
                {
                    await run(context.ResourceName, context.CancellationToken);
                    return CommandResults.Success();
                },
                description,
                parameter: null,
                confirmationMessage: null,
                icon,
                variant,
                highlighted));
        }
    }

    private static bool IsStopped(string? state)
        => state == KnownResourceStates.NotStarted || KnownResourceStates.TerminalStates.Contains(state);

    private static bool IsPreparing(string? state)
        => state is null || state == KnownResourceStates.Starting || state == KnownResourceStates.Building || state == KnownResourceStates.RuntimeUnhealthy;

    private static ResourceCommandState StartState(string? state)
        => IsPreparing(state) ? ResourceCommandState.Disabled
            : IsStopped(state) || state == KnownResourceStates.Waiting ? ResourceCommandState.Enabled
            : ResourceCommandState.Hidden;

    private static ResourceCommandState StopState(string? state)
        => state == KnownResourceStates.Stopping ? ResourceCommandState.Disabled
            : IsStopped(state) || IsPreparing(state) || state == KnownResourceStates.Waiting ? ResourceCommandState.Hidden
            : ResourceCommandState.Enabled;

    private static ResourceCommandState RestartState(string? state)
        => IsPreparing(state) || IsStopped(state) || state == KnownResourceStates.Stopping || state == KnownResourceStates.Waiting
            ? ResourceCommandState.Disabled
            : ResourceCommandState.Enabled;
}
