using System.Collections.Concurrent;

namespace Platform.AppHost.Stack;

/// <summary>The resources of the graph, as far as they are known, and which of them were told to end, and so did not fail.</summary>
internal sealed class FollowedResources(DistributedApplicationModel model)
{
    private readonly ConcurrentDictionary<string, CustomResourceSnapshot> _snapshots = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _stopped = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All of them with what is known of each, in the order of the graph.</summary>
    public IReadOnlyList<(IResource Resource, CustomResourceSnapshot? Snapshot)> All
        => [.. model.Resources.Select(resource => (resource, _snapshots.GetValueOrDefault(resource.Name)))];

    /// <summary>The names of those that somebody stopped.</summary>
    public IReadOnlySet<string> Stopped => _stopped;

    /// <summary>The first that failed by itself; null when none did.</summary>
    public FirstCause? Cause => FirstCause.Of(All, _stopped);

    /// <summary>Takes note of a change, of which one caller at a time tells: what passes through stopping was told to end.</summary>
    public void Follow(ResourceEvent change)
    {
        _snapshots[change.Resource.Name] = change.Snapshot;
        var state = change.Snapshot.State?.Text;
        if (state == KnownResourceStates.Stopping)
        {
            _stopped.Add(change.Resource.Name);
        }
        else if (!KnownResourceStates.TerminalStates.Contains(state))
        {
            _stopped.Remove(change.Resource.Name);
        }
    }
}
