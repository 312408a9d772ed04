using Microsoft.Extensions.Time.Testing;
using Platform.Mongo.Leases;

namespace Platform.Tests.Unit.Data;

public sealed class InMemoryLeaseStoreTests : LeaseStoreContract
{
    private readonly FakeTimeProvider _time = new();

    public InMemoryLeaseStoreTests() => Store = new InMemoryLeaseStore(_time);

    protected override ILeaseStore Store { get; }

    protected override Task AdvanceAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }
}
