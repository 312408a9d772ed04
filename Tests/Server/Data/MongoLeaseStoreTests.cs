using Platform.Mongo.Leases;

namespace Platform.Tests.Server.Data;

/// <summary>The lease store on a server.</summary>
public sealed class MongoLeaseStoreTests(MongoServer server) : LeaseStoreContract
{
    // One store for all callers of a test, also when they come at once: each new store would have a database of its own.
    private readonly Lazy<ILeaseStore> _store = new(() => new MongoLeaseStore(server.NewDatabase()));

    protected override ILeaseStore Store => _store.Value;

    // The server's clock cannot be moved, so this is the one place that has to let time pass.
    protected override Task AdvanceAsync(TimeSpan time) => Task.Delay(time, Token);
}
