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

    /// <inheritdoc/>
    [Fact(Skip = "On a DocumentDB engine that has just started, two first takers of a new lease have been seen to get it both; not explained yet. See docs/gateway.md.")]
    public override Task Of_many_that_ask_at_once_for_a_new_lease_one_gets_it() => base.Of_many_that_ask_at_once_for_a_new_lease_one_gets_it();
}
