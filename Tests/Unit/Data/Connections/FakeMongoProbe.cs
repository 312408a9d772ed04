using System.Net;
using MongoDB.Bson;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;

namespace Platform.Tests.Unit.Data.Connections;

/// <summary>A replica set as a test wants it. At first: a primary that answers, and two secondaries.</summary>
public sealed class FakeMongoProbe : IMongoProbe
{
    public static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private static readonly ClusterId Id = new();

    public ClusterDescription Cluster { get; set; } = ReplicaSet(
        Member(1, ServerType.ReplicaSetPrimary), Member(2, ServerType.ReplicaSetSecondary), Member(3, ServerType.ReplicaSetSecondary));

    public PoolUse Pool { get; set; } = new(12, 3, 100);

    public Func<CancellationToken, Task> Ping { get; set; } = _ => Task.CompletedTask;

    public BsonDocument? Status { get; set; }

    public int Pings { get; private set; }

    public static ClusterDescription ReplicaSet(params ServerDescription[] members) => new(Id, false, null, ClusterType.ReplicaSet, members);

    public static ServerDescription Member(int number, ServerType type, DateTime? lastWrite = null, Exception? failure = null)
    {
        var endPoint = new DnsEndPoint($"db{number}", 27017);
        return new ServerDescription(
            new ServerId(Id, endPoint),
            endPoint,
            heartbeatException: failure!,
            state: type == ServerType.Unknown ? ServerState.Disconnected : ServerState.Connected,
            lastWriteTimestamp: lastWrite,
            type: type);
    }

    public Task PingPrimaryAsync(CancellationToken cancellationToken)
    {
        Pings++;
        return Ping(cancellationToken);
    }

    public Task<BsonDocument?> FindReplicaSetStatusAsync(CancellationToken cancellationToken) => Task.FromResult(Status);
}
