using Platform.Data.Leases;
using Platform.Tests.Conformance.Gateway;
using Platform.Tests.Unit.Data;
using Xunit;

namespace Platform.Tests.Conformance.Data;

/// <summary>The lease store on a server.</summary>
[Collection(GatewayCollection.Name)]
public sealed class MongoLeaseStoreTests(GatewayFixture gateway) : LeaseStoreContract
{
    private ILeaseStore? _store;

    protected override ILeaseStore Store => _store ??= new MongoLeaseStore(gateway.NewDatabase());

    // The server's clock cannot be moved, so this is the one place that has to let time pass.
    protected override Task AdvanceAsync(TimeSpan time) => Task.Delay(time, Token);
}
