using System.Globalization;

namespace Platform.AppHost.Redis;

/// <summary>What one node of a Redis cluster says of the cluster.</summary>
/// <param name="Id">Its own id.</param>
/// <param name="IsWell">Whether it says that the cluster can be used, and has its master's data where it is a replica.</param>
/// <param name="Nodes">The nodes that it knows, itself among them.</param>
internal sealed record ClusterView(string Id, bool IsWell, IReadOnlyList<ClusterView.Node> Nodes)
{
    /// <summary>Itself.</summary>
    public Node Self => Nodes.First(node => node.Id == Id);

    /// <summary>What it knows of a node; null: nothing.</summary>
    /// <param name="id">The node's id.</param>
    public Node? Find(string id) => Nodes.FirstOrDefault(node => node.Id == id);

    /// <summary>Reads the answers of a node.</summary>
    /// <param name="id">To <c>CLUSTER MYID</c>.</param>
    /// <param name="nodes">To <c>CLUSTER NODES</c>.</param>
    /// <param name="info">To <c>CLUSTER INFO</c>.</param>
    /// <param name="replication">To <c>INFO replication</c>.</param>
    public static ClusterView Read(string id, string nodes, string info, string replication) => new(
        id,
        info.Contains("cluster_state:ok", StringComparison.Ordinal) && !replication.Contains("master_link_status:down", StringComparison.Ordinal),
        [.. nodes.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Node.Read)]);

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", Nodes.Select(node => string.Create(
        CultureInfo.InvariantCulture,
        $"{node.Id[..8]} {node.Port} {string.Join(',', node.Flags)} {node.Master?[..8] ?? "-"} {(node.IsLinked ? "linked" : "not linked")} "
            + $"{string.Join(',', node.Slots.Select(range => $"{range.First}-{range.Last}"))}")));

    /// <summary>A node.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Port">Where clients reach it.</param>
    /// <param name="Flags">What it is: <c>master</c>, <c>slave</c>, <c>fail</c>, <c>handshake</c>, ...</param>
    /// <param name="Master">The id of its master; null when it is one.</param>
    /// <param name="IsLinked">Whether there is a connection with it.</param>
    /// <param name="Slots">The ranges of slots that it has, both ends included.</param>
    internal sealed record Node(
        string Id, int Port, IReadOnlySet<string> Flags, string? Master, bool IsLinked, IReadOnlyList<(int First, int Last)> Slots)
    {
        // ID ADDRESS:PORT@BUSPORT[,HOSTNAME...] FLAGS MASTER PING PONG EPOCH LINK [SLOT | FIRST-LAST | [SLOT->-ID]]...
        // https://redis.io/docs/latest/commands/cluster-nodes/
        public static Node Read(string line)
        {
            var parts = line.Split(' ');
            var address = parts[1].Split('@')[0];
            return new Node(
                parts[0],
                int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture),
                parts[2].Split(',').ToHashSet(StringComparer.Ordinal),
                parts[3] == "-" ? null : parts[3],
                parts[7] == "connected",
                [.. parts.Skip(8).Where(slots => !slots.StartsWith('[')).Select(slots =>
                {
                    var ends = Array.ConvertAll(slots.Split('-'), end => int.Parse(end, CultureInfo.InvariantCulture));
                    return (ends[0], ends[^1]);
                })]);
        }
    }
}
