namespace Platform.Hosting.Servers;

/// <summary>What the states of the servers of a set, or a cluster, make its state.</summary>
public static class ServerStates
{
    /// <summary>
    /// A set runs while most of its servers do, is starting while they still may, and has ended when too many of them have:
    /// then it has failed to start if it never ran.
    /// </summary>
    /// <param name="servers">The states of the servers; null for one that is not known yet.</param>
    /// <param name="hasRun">Whether the set ran before.</param>
    public static string Judge(IReadOnlyCollection<string?> servers, bool hasRun)
    {
        var needed = servers.Count == 0 ? 0 : (servers.Count / 2) + 1;
        if (servers.Count(state => state == KnownResourceStates.Running) >= needed)
        {
            return KnownResourceStates.Running;
        }

        var ended = servers.Count(state => KnownResourceStates.TerminalStates.Contains(state));
        return servers.Count - ended >= needed ? KnownResourceStates.Starting
            : hasRun ? KnownResourceStates.Exited
            : KnownResourceStates.FailedToStart;
    }
}
