namespace Platform.AppHost.Stack;

/// <summary>Which resources were told to end, and so did not fail.</summary>
internal sealed class StoppedResources
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Their names.</summary>
    public IReadOnlySet<string> Names => _names;

    /// <summary>Takes note of a change: what passes through stopping was told to end.</summary>
    public void Follow(string name, CustomResourceSnapshot snapshot)
    {
        var state = snapshot.State?.Text;
        if (state == KnownResourceStates.Stopping)
        {
            _names.Add(name);
        }
        else if (!KnownResourceStates.TerminalStates.Contains(state))
        {
            _names.Remove(name);
        }
    }
}
