using MongoDB.Driver;
using MongoDB.Driver.Core.Events;

namespace Platform.Data.Connections;

/// <summary>Counts connections from the driver's events: the driver itself does not tell. Thread-safe.</summary>
internal sealed class PoolCounter
{
    private int _open;
    private int _inUse;

    public PoolUse Read(int maxPerServer) => new(Volatile.Read(ref _open), Volatile.Read(ref _inUse), maxPerServer);

    public void Observe(MongoClientSettings settings) => settings.ClusterConfigurator += cluster => cluster
        .Subscribe<ConnectionPoolAddedConnectionEvent>(_ => Interlocked.Increment(ref _open))
        .Subscribe<ConnectionPoolRemovedConnectionEvent>(_ => Interlocked.Decrement(ref _open))
        .Subscribe<ConnectionPoolCheckedOutConnectionEvent>(_ => Interlocked.Increment(ref _inUse))
        .Subscribe<ConnectionPoolCheckedInConnectionEvent>(_ => Interlocked.Decrement(ref _inUse));
}
