using System.Globalization;
using System.Security.Cryptography;

namespace Platform.Tests.TestKit.Servers;

/// <summary>Six Redis servers that can be a cluster, started by the script that the app graph uses, with data of their own. Nobody has formed it.</summary>
internal sealed class RedisNodes : IAsyncDisposable
{
    /// <summary>How many there are.</summary>
    public const int Count = 6;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redis-cluster-");
    private readonly ServerProcess?[] _processes = new ServerProcess?[Count];

    private readonly string? _tls;

    private RedisNodes(string? tls) => _tls = tls;

    /// <summary>The password of all users.</summary>
    public string Password { get; } = RandomNumberGenerator.GetHexString(24);

    /// <summary>The ports on 127.0.0.1: of each node that for clients, then that for other nodes.</summary>
    public int[] Ports { get; private set; } = FreePort.Find(Count * 2);

    /// <summary>How who may do everything connects: an address of each node.</summary>
    public string ConnectionString => $"{Addresses},password={Password}";

    /// <summary>How the API connects.</summary>
    public string ApiConnectionString => $"{Addresses},user=api,password={Password}";

    private string Addresses => string.Join(
        ',', Enumerable.Range(0, Count).Select(node => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port(node)}")));

    /// <summary>Starts all and waits until they take connections.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="tls">The directory with their certificate, for TLS alone; null: there is no TLS.</param>
    public static async Task<RedisNodes> StartAsync(CancellationToken cancellationToken, string? tls = null)
    {
        var nodes = new RedisNodes(tls);
        try
        {
            await nodes.StartAllAsync(cancellationToken);
            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    /// <summary>The port of a node, from 0.</summary>
    public int Port(int node) => Ports[2 * node];

    /// <summary>Starts those that do not run, on the data that they left.</summary>
    public async Task StartAllAsync(CancellationToken cancellationToken)
    {
        for (var node = 0; node < Count; node++)
        {
            _processes[node] ??= RedisProcess.StartServer(
                DataOf(node),
                Port(node),
                Password,
                new Dictionary<string, string?>
                {
                    ["REDIS_CLUSTER_PORT"] = Ports[(2 * node) + 1].ToString(CultureInfo.InvariantCulture), ["REDIS_REPLICA_PASSWORD"] = Password,
                    ["REDIS_TLS"] = _tls,
                });
        }

        for (var node = 0; node < Count; node++)
        {
            var port = Port(node);
            await _processes[node]!.UntilAsync(() => RedisProcess.ListensAsync(port, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Kills nodes at once, without a good-bye, and returns when they are gone.</summary>
    public Task KillAsync(params IEnumerable<int> nodes) => Task.WhenAll(nodes.Select(async node =>
    {
        var process = _processes[node]!;
        _processes[node] = null;
        await process.KillAsync();
        await process.DisposeAsync();
    }));

    /// <summary>From now on all nodes, none of which runs, have other ports.</summary>
    public void Move() => Ports = FreePort.Find(Count * 2);

    /// <summary>Removes the data of a node, which does not run.</summary>
    public void RemoveData(int node) => Directory.Delete(DataOf(node), recursive: true);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync(Enumerable.Range(0, Count).Where(node => _processes[node] is not null));
        _directory.Delete(recursive: true);
    }

    private string DataOf(int node) => Path.Combine(_directory.FullName, node.ToString(CultureInfo.InvariantCulture));
}
