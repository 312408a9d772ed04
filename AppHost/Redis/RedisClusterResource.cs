using Platform.AppHost.Security;

namespace Platform.AppHost.Redis;

/// <summary>
/// A Redis cluster as its clients see it: one connection string that names every node. The nodes are resources of their own, children of this one.
/// </summary>
internal sealed class RedisClusterResource(string name, ParameterResource password) : Resource(name), IResourceWithConnectionString
{
    private readonly List<RedisServerResource> _nodes = [];
    private readonly List<ClusterAddress> _addresses = [];
    private volatile bool _isFormed;

    /// <summary>Three masters with a replica each.</summary>
    public const int Size = 6;

    /// <summary>The password of who may do everything.</summary>
    public ParameterResource Password => password;

    /// <summary>Its nodes.</summary>
    public IReadOnlyList<RedisServerResource> Nodes => _nodes;

    /// <summary>Where they listen.</summary>
    public IReadOnlyList<ClusterAddress> Addresses => _addresses;

    /// <summary>Whether the nodes were one cluster since the graph started.</summary>
    public bool IsFormed
    {
        get => _isFormed;
        set => _isFormed = value;
    }

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{AllAddresses},password={password}{RedisClient.TlsOption(this)}");

    /// <summary>Host and port of each node.</summary>
    public ReferenceExpression AllAddresses
    {
        get
        {
            var all = new ReferenceExpressionBuilder();
            foreach (var node in _nodes)
            {
                all.Append($"{(all.IsEmpty ? "" : ",")}{node.Address}");
            }

            return all.Build();
        }
    }

    /// <summary>Names a node.</summary>
    public void AddNode(RedisServerResource node, ClusterAddress address)
    {
        _nodes.Add(node);
        _addresses.Add(address);
    }
}
