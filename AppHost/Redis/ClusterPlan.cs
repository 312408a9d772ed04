using System.Globalization;

namespace Platform.AppHost.Redis;

/// <summary>
/// What is to be done to make one cluster of nodes, half of them masters that share the slots, the others their replicas: from whatever they are now, which may
/// be new, half formed, formed at other addresses, or failed over.
/// </summary>
internal static class ClusterPlan
{
    /// <summary>How many slots a cluster has.</summary>
    public const int Slots = 16384;

    /// <summary>A command.</summary>
    /// <param name="Node">Which node gets it, from 0.</param>
    /// <param name="Arguments">What follows <c>CLUSTER</c>.</param>
    internal sealed record Command(int Node, params object[] Arguments)
    {
        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"node {Node + 1}: CLUSTER {string.Join(' ', Arguments)}");
    }

    /// <summary>The commands that bring the nodes nearer to it; none when there is nothing to do, or what was done takes its time.</summary>
    /// <param name="views">What each node says.</param>
    /// <param name="addresses">Where each is.</param>
    public static IReadOnlyList<Command> Next(IReadOnlyList<ClusterView> views, IReadOnlyList<ClusterAddress> addresses)
    {
        List<Command> commands = [.. Forget(views), .. Meet(views, addresses)];
        return commands.Count > 0 ? commands
            : TakeOver(views) is { Count: > 0 } failovers ? failovers
            : Unassigned(views) is { Count: > 0 } slots ? Assign(views, slots)
            : Replicate(views);
    }

    /// <summary>Whether they are one cluster, of which nothing is missing.</summary>
    /// <inheritdoc cref="Next"/>
    public static bool IsWhole(IReadOnlyList<ClusterView> views, IReadOnlyList<ClusterAddress> addresses) =>
        Next(views, addresses).Count == 0
        && views.All(view => view.IsWell
            && view.Nodes.Count == views.Count
            && view.Nodes.All(node => node.IsLinked && !node.Flags.Overlaps(["fail", "fail?", "handshake", "noaddr"]))
            // By all accounts: a view of before a failover would send clients to the wrong node.
            && views.All(other => view.Find(other.Id) is { } seen && seen.Master == other.Self.Master && seen.Slots.SequenceEqual(other.Self.Slots)));

    // Nodes that are not ours and have nothing: whose data directory was removed.
    private static IEnumerable<Command> Forget(IReadOnlyList<ClusterView> views) =>
        from index in Enumerable.Range(0, views.Count)
        from node in views[index].Nodes
        where !node.Flags.Contains("handshake") && views.All(view => view.Id != node.Id)
            && views.All(view => view.Find(node.Id) is not { Slots.Count: > 0 })
            && views[index].Self.Master != node.Id
        select new Command(index, "FORGET", node.Id);

    // Whoever does not know a node, or knows it at another address, is introduced.
    private static IEnumerable<Command> Meet(IReadOnlyList<ClusterView> views, IReadOnlyList<ClusterAddress> addresses) =>
        from index in Enumerable.Range(0, views.Count)
        from other in Enumerable.Range(0, views.Count)
        where other != index && views[index].Find(views[other].Id)?.Port != addresses[other].Port
        select new Command(index, "MEET", "127.0.0.1", addresses[other].Port, addresses[other].BusPort);

    // A node that is none of ours does not come back: its data were lost. Redis waits for it, unless it was seen to fail.
    private static List<Command> TakeOver(IReadOnlyList<ClusterView> views) =>
    [
        .. Enumerable.Range(0, views.Count).Where(index => IsHeir(views, index)).DistinctBy(index => views[index].Self.Master)
            .Select(index => new Command(index, "FAILOVER", "TAKEOVER")),
    ];

    // Whether a node follows one that is none of ours and has slots.
    private static bool IsHeir(IReadOnlyList<ClusterView> views, int index) =>
        views[index].Self is { Slots.Count: 0, Master: { } master }
        && views.All(view => view.Id != master)
        && views.Any(view => view.Find(master) is { Slots.Count: > 0 });

    // The ranges that nobody has, not even a node that is gone: its replica is going to have them.
    private static List<(int First, int Last)> Unassigned(IReadOnlyList<ClusterView> views)
    {
        var taken = new bool[Slots + 1];
        foreach (var (first, last) in views.SelectMany(view => view.Nodes).SelectMany(node => node.Slots))
        {
            Array.Fill(taken, true, first, last - first + 1);
        }

        // Ends the last range.
        taken[Slots] = true;
        List<(int First, int Last)> free = [];
        var begin = -1;
        for (var slot = 0; slot <= Slots; slot++)
        {
            if (!taken[slot] && begin < 0)
            {
                begin = slot;
            }
            else if (taken[slot] && begin >= 0)
            {
                free.Add((begin, slot - 1));
                begin = -1;
            }
        }

        return free;
    }

    private static List<Command> Assign(IReadOnlyList<ClusterView> views, List<(int First, int Last)> free)
    {
        // Those that have slots already, then those that could.
        var masters = Enumerable.Range(0, views.Count)
            .Where(index => views[index].Self.Master is null)
            .OrderBy(index => views[index].Self.Slots.Count == 0)
            .Take(views.Count / 2)
            .Order()
            .ToArray();
        List<Command> commands = [];
        for (var share = 0; share < masters.Length; share++)
        {
            var (begin, end) = (Slots * share / masters.Length, (Slots * (share + 1) / masters.Length) - 1);
            commands.AddRange(
                from range in free
                let first = Math.Max(range.First, begin)
                let last = Math.Min(range.Last, end)
                where first <= last
                select new Command(masters[share], "ADDSLOTSRANGE", first, last));
        }

        return commands;
    }

    // Each master gets as many replicas as the others; one that has none takes one of who has several.
    private static List<Command> Replicate(IReadOnlyList<ClusterView> views)
    {
        var masters = views.Where(view => view.Self.Slots.Count > 0).Select(view => view.Id).ToArray();
        var replicas = masters.ToDictionary(master => master, _ => new List<int>(), StringComparer.Ordinal);
        List<int> free = [];
        for (var index = 0; index < views.Count; index++)
        {
            if (views[index].Self is { Slots.Count: 0, Master: var master } && !IsHeir(views, index))
            {
                (master is not null && replicas.TryGetValue(master, out var own) ? own : free).Add(index);
            }
        }

        List<Command> commands = [];
        foreach (var master in masters.OrderBy(master => replicas[master].Count).Where(master => replicas[master].Count == 0))
        {
            if (free.Count == 0 && replicas.Values.MaxBy(own => own.Count) is { Count: > 1 } most)
            {
                free.Add(most[^1]);
                most.RemoveAt(most.Count - 1);
            }

            if (free.Count > 0)
            {
                commands.Add(new Command(free[0], "REPLICATE", master));
                replicas[master].Add(free[0]);
                free.RemoveAt(0);
            }
        }

        commands.AddRange(
            from index in free
            where masters.Length > 0
            select new Command(index, "REPLICATE", masters.MinBy(master => replicas[master].Count)!));
        return commands;
    }
}
