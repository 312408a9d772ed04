using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Servers;

namespace Platform.Mongo.Connections;

/// <summary>
/// Whether the service can work with MongoDB. Unhealthy: no server takes writes, or it does not answer a ping in time.
/// Degraded: it does, but a member of its replica set is gone or too far behind, so the next failure may be an outage.
/// </summary>
/// <remarks>
/// The data of the result: <c>topology</c>, <c>primary</c>, <c>members</c>, <c>gone</c>, <c>replicationLagSeconds</c>,
/// <c>poolOpen</c>, <c>poolInUse</c>, <c>poolMax</c>.
/// </remarks>
public sealed class MongoHealthCheck(IMongoProbe probe, IOptions<MongoOptions> options, TimeProvider time) : IHealthCheck
{
    /// <summary>The name under which it is registered.</summary>
    public const string Name = "mongodb";

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var settings = options.Value.Health;
        using var limit = new CancellationTokenSource(settings.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        BsonDocument? status;
        try
        {
            // WaitAsync as well: a check must not take longer because a driver call is slow to notice its token.
            await probe.PingPrimaryAsync(either.Token).WaitAsync(either.Token);
            status = probe.Cluster.Type == ClusterType.ReplicaSet
                ? await probe.FindReplicaSetStatusAsync(either.Token).WaitAsync(either.Token)
                : null;
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var seconds = settings.Timeout.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
            return Unhealthy(
                PrimaryOf(probe.Cluster) is { } primary
                    ? $"The primary {AddressOf(primary)} did not answer within {seconds} s"
                    : $"No primary was found within {seconds} s",
                exception);
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            return Unhealthy(
                MongoErrors.IsRefusedLogin(exception) ? "MongoDB refused the user name or password"
                : PrimaryOf(probe.Cluster) is { } primary ? $"The primary {AddressOf(primary)} failed a ping"
                : "There is no primary",
                exception);
        }

        return Judge(probe.Cluster, status, settings.MaxReplicationLag);
    }

    private static ServerDescription? PrimaryOf(ClusterDescription cluster) => cluster.Servers.FirstOrDefault(server =>
        server.State == ServerState.Connected
        && server.Type is ServerType.ReplicaSetPrimary or ServerType.Standalone or ServerType.ShardRouter or ServerType.LoadBalanced);

    private static string AddressOf(ServerDescription server) => server.EndPoint switch
    {
        System.Net.DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        var other => other.ToString() ?? "",
    };

    private HealthCheckResult Judge(ClusterDescription cluster, BsonDocument? status, TimeSpan maxLag)
    {
        var primary = PrimaryOf(cluster);
        var gone = cluster.Servers
            .Where(server => server.State != ServerState.Connected
                || server.Type is ServerType.Unknown or ServerType.ReplicaSetGhost or ServerType.ReplicaSetOther)
            .Select(AddressOf)
            .Union(GoneBy(status))
            .Order(StringComparer.Ordinal)
            .ToList();
        var lag = LagOf(status) ?? LagOf(cluster, primary);
        var data = Data(cluster, primary, gone, lag);
        if (primary is null)
        {
            return HealthCheckResult.Unhealthy("There is no primary.", data: data);
        }

        var pool = probe.Pool;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Topology(cluster)} with primary {AddressOf(primary)}, {cluster.Servers.Count - gone.Count} of {cluster.Servers.Count} members there, "
                + $"replication lag {(lag is null ? "unknown" : $"{lag.Value.TotalSeconds:0.#} s")}, {pool.InUse} of {pool.MaxPerServer} connections in use.");
        if (gone.Count > 0)
        {
            return HealthCheckResult.Degraded($"{string.Join(", ", gone)} gone: {text}", data: data);
        }

        return lag > maxLag
            ? HealthCheckResult.Degraded(string.Create(
                CultureInfo.InvariantCulture, $"A secondary is {lag.Value.TotalSeconds:0.#} s behind: {text}"), data: data)
            : HealthCheckResult.Healthy(text, data);
    }

    private HealthCheckResult Unhealthy(string what, Exception exception)
    {
        var cluster = probe.Cluster;
        // The driver's own message describes its whole view; what a person needs is why a server was not reached.
        var reason = cluster.Servers.Select(server => server.HeartbeatException?.GetBaseException().Message).FirstOrDefault(message => message is not null);
        return HealthCheckResult.Unhealthy(
            reason is null ? $"{what}." : $"{what}: {reason.ReplaceLineEndings(" ").TrimEnd('.')}.",
            exception,
            Data(cluster, PrimaryOf(cluster), [.. cluster.Servers.Where(server => server.State != ServerState.Connected).Select(AddressOf)], lag: null));
    }

    private Dictionary<string, object> Data(ClusterDescription cluster, ServerDescription? primary, List<string> gone, TimeSpan? lag)
    {
        var pool = probe.Pool;
        Dictionary<string, object> data = new()
        {
            ["topology"] = Topology(cluster),
            ["members"] = cluster.Servers.Select(server => $"{AddressOf(server)} {server.Type}").Order(StringComparer.Ordinal).ToArray(),
            ["gone"] = gone.ToArray(),
            ["poolOpen"] = pool.Open,
            ["poolInUse"] = pool.InUse,
            ["poolMax"] = pool.MaxPerServer,
        };
        if (primary is not null)
        {
            data["primary"] = AddressOf(primary);
        }

        if (lag is not null)
        {
            data["replicationLagSeconds"] = lag.Value.TotalSeconds;
        }

        return data;
    }

    private static string Topology(ClusterDescription cluster) =>
        cluster.Type == ClusterType.ReplicaSet
            && cluster.Servers.Select(server => server.ReplicaSetConfig?.Name).FirstOrDefault(name => name is not null) is { } name
            ? $"ReplicaSet {name}"
            : cluster.Type.ToString();

    // { members: [ { name: "db1:27017", health: 1, state: 1, stateStr: "PRIMARY", optimeDate: ISODate }, ... ] }
    // https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/
    private static IEnumerable<BsonDocument> MembersOf(BsonDocument? status) =>
        status?.GetValue("members", new BsonArray()) is BsonArray members ? members.OfType<BsonDocument>() : [];

    private static IEnumerable<string> GoneBy(BsonDocument? status) => MembersOf(status)
        .Where(member => member.TryGetValue("health", out var health) && health.IsNumeric && health.ToDouble() == 0)
        .Select(member => member.GetValue("name", "").AsString);

    private static TimeSpan? LagOf(BsonDocument? status)
    {
        var members = MembersOf(status).Where(member => member.TryGetValue("optimeDate", out var date) && date.IsBsonDateTime).ToList();
        var primary = members.FirstOrDefault(member => member.GetValue("stateStr", "") == "PRIMARY");
        return primary is null
            ? null
            : Greatest(members.Where(member => member.GetValue("stateStr", "") == "SECONDARY")
                .Select(member => primary["optimeDate"].ToUniversalTime() - member["optimeDate"].ToUniversalTime()));
    }

    // What heartbeats say, which is older by up to one heartbeat and needs no privilege.
    private static TimeSpan? LagOf(ClusterDescription cluster, ServerDescription? primary) =>
        primary?.LastWriteTimestamp is not { } latest
            ? null
            : Greatest(cluster.Servers.Where(server => server.Type == ServerType.ReplicaSetSecondary && server.LastWriteTimestamp is not null)
                .Select(server => latest - server.LastWriteTimestamp!.Value));

    private static TimeSpan? Greatest(IEnumerable<TimeSpan> lags) =>
        lags.Select(lag => lag > TimeSpan.Zero ? lag : TimeSpan.Zero).Cast<TimeSpan?>().Max();
}
