namespace Platform.Tests.Unit.Architecture;

/// <summary>Which folders use which, and by what types.</summary>
internal sealed class FolderGraph
{
    private readonly SortedDictionary<string, SortedDictionary<string, string>> _uses = new(StringComparer.Ordinal);

    /// <summary>The folders, by their namespaces.</summary>
    public IReadOnlyCollection<string> Folders => _uses.Keys;

    /// <summary>Makes the graph of types, each with its folder and with the types that it uses, and theirs.</summary>
    public static FolderGraph Of(IEnumerable<(string Type, string Folder, IEnumerable<(string Type, string Folder)> Uses)> types)
    {
        var graph = new FolderGraph();
        foreach (var (type, folder, uses) in types)
        {
            var targets = graph.UsesOf(folder);
            foreach (var (used, other) in uses.Where(use => use.Folder != folder))
            {
                targets.TryAdd(other, $"{folder} uses {other} ({type} -> {used})");
                graph.UsesOf(other);
            }
        }

        return graph;
    }

    /// <summary>One sentence for each arrow between folders that can reach each other; none when there is no cycle.</summary>
    public IReadOnlyList<string> Cycles()
    {
        var reached = Folders.ToDictionary(folder => folder, Reach, StringComparer.Ordinal);
        return [.. from use in _uses
                   from target in use.Value
                   where reached[target.Key].Contains(use.Key)
                   select target.Value];
    }

    private SortedDictionary<string, string> UsesOf(string folder)
    {
        if (!_uses.TryGetValue(folder, out var uses))
        {
            _uses[folder] = uses = new(StringComparer.Ordinal);
        }

        return uses;
    }

    private HashSet<string> Reach(string folder)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(_uses[folder].Keys);
        while (open.TryPop(out var next))
        {
            if (reached.Add(next))
            {
                foreach (var further in _uses[next].Keys)
                {
                    open.Push(further);
                }
            }
        }

        return reached;
    }
}
