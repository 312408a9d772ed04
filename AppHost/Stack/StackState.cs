using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Services;

namespace Platform.AppHost.Stack;

/// <summary>How a whole stack is, by the states of its resources.</summary>
internal static class StackState
{
    public const string Starting = "starting";
    public const string Ready = "ready";
    public const string Failed = "failed";
    public const string Incomplete = "incomplete";
    public const string Stopped = "stopped";

    /// <summary>
    /// A stack is ready from when everything was healthy once, through checks that fail for a moment, until a service
    /// ends by itself, or a job fails; the message is the <see cref="FirstCause"/>.
    /// </summary>
    /// <param name="resources">The resources, as far as they are known.</param>
    /// <param name="stopped">The names of those that somebody stopped.</param>
    /// <param name="before">The state before.</param>
    public static (string State, string? Message) Judge(
        IReadOnlyList<(IResource Resource, CustomResourceSnapshot? Snapshot)> resources, IReadOnlySet<string> stopped,
        string before)
    {
        if (FirstCause.Of(resources, stopped) is { } cause)
        {
            return (Failed, cause.Sentence);
        }

        var absent = resources.FirstOrDefault(entry =>
            Dependencies.HasProcess(entry.Resource) && !FirstCause.MayEnd(entry.Resource, entry.Snapshot)
            && KnownResourceStates.TerminalStates.Contains(entry.Snapshot?.State?.Text));
        if (absent.Resource is not null)
        {
            return (Incomplete, $"{absent.Resource.Name} was stopped.");
        }

        // Not for ever what it was: somebody may have started what had failed again.
        var isReady = before == Ready || resources.All(entry => IsReady(entry.Resource, entry.Snapshot));
        return (isReady ? Ready : Starting, null);
    }

    /// <summary>Whether a resource is one that people see.</summary>
    public static bool IsShown(IResource resource, CustomResourceSnapshot? snapshot)
        => resource is not ParameterResource && snapshot?.IsHidden != true;

    private static bool IsReady(IResource resource, CustomResourceSnapshot? snapshot)
        => !IsShown(resource, snapshot)
            || resource.Annotations.OfType<ExplicitStartupAnnotation>().Any()
            || (IsJob(resource)
                ? snapshot?.State?.Text == KnownResourceStates.Finished && snapshot.ExitCode == 0
                : snapshot?.HealthStatus == HealthStatus.Healthy);

    private static bool IsJob(IResource resource) => resource.Annotations.OfType<JobAnnotation>().Any();
}
