using Platform.AppHost.Services;

namespace Platform.AppHost.Stack;

/// <summary>The resource that failed by itself, where others failed because of it.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Sentence">How it failed, for example <c>migrator ended with exit code 1.</c></param>
internal sealed record FirstCause(IResource Resource, string Sentence)
{
    /// <summary>
    /// Finds it: the first that failed and uses none that did. Whatever its exit code, a service that ends by itself has
    /// failed; a job has when its exit code says so.
    /// </summary>
    /// <param name="resources">The resources, as far as they are known.</param>
    /// <param name="stopped">The names of those that somebody stopped.</param>
    /// <returns>Null when nothing failed.</returns>
    public static FirstCause? Of(
        IReadOnlyList<(IResource Resource, CustomResourceSnapshot? Snapshot)> resources, IReadOnlySet<string> stopped)
    {
        var failed = resources
            .Select(entry => (entry.Resource, Sentence: SentenceOf(entry.Resource, entry.Snapshot, stopped)))
            .Where(entry => entry.Sentence is not null)
            .ToList();
        if (failed.Count == 0)
        {
            return null;
        }

        var all = resources.Select(entry => entry.Resource).ToList();
        var (resource, sentence) = failed.Find(
            entry => !Dependencies.AllOf(entry.Resource, all).Overlaps(failed.Select(other => other.Resource)));
        return resource is null ? new(failed[0].Resource, failed[0].Sentence!) : new(resource, sentence!);
    }

    /// <summary>Whether the end of a resource is no failure by itself.</summary>
    public static bool MayEnd(IResource resource, CustomResourceSnapshot? snapshot)
        => resource.Annotations.OfType<JobAnnotation>().Any() || !StackState.IsShown(resource, snapshot);

    private static string? SentenceOf(IResource resource, CustomResourceSnapshot? snapshot, IReadOnlySet<string> stopped)
    {
        // Those without a process end with the processes behind them, and those say why.
        var state = snapshot?.State?.Text;
        if (!Dependencies.HasProcess(resource) || !KnownResourceStates.TerminalStates.Contains(state))
        {
            return null;
        }

        if (state == KnownResourceStates.FailedToStart)
        {
            return $"{resource.Name} failed to start.";
        }

        var mayEnd = MayEnd(resource, snapshot);
        return (!mayEnd && stopped.Contains(resource.Name)) || (mayEnd && snapshot!.ExitCode is null or 0) ? null
            : snapshot!.ExitCode is { } code ? $"{resource.Name} ended with exit code {code}."
            : $"{resource.Name} ended.";
    }
}
