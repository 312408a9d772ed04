using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using Platform.Api.Events;
using Platform.Data;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Leases;
using Platform.Migrator.Structure;
using Platform.Tests.Conformance.Gateway;
using Xunit;

namespace Platform.Tests.Conformance.Data;

/// <summary>Events are where they belong exactly once, whenever who wrote them was stopped.</summary>
[Collection(GatewayCollection.Name)]
public sealed class EventOutboxTests(GatewayFixture gateway)
{
    private static readonly ObjectId Tenant = ObjectId.GenerateNewId();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_entry_of_a_committed_transaction_is_delivered_and_removed()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var entry = Entry(DateTime.UtcNow);
        await AddAsync(database, outbox, entry);

        await new OutboxWriter(outbox, NullLogger<OutboxWriter>.Instance).DeliverAsync(entry);

        await DeliveredAsync(database, 2, 1);
        Assert.Empty(await outbox.ReadAsync(DateTime.MaxValue, 10, Cancel));
    }

    [Fact]
    public async Task An_entry_of_a_transaction_that_is_taken_back_is_gone_with_it()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);

        await Assert.ThrowsAsync<InvalidOperationException>(() => database.TransactAsync<bool>(
            async (session, token) =>
            {
                await outbox.AddAsync(Entry(DateTime.UtcNow), session, token);
                throw new InvalidOperationException("short after all");
            },
            Cancel));

        Assert.Empty(await outbox.ReadAsync(DateTime.MaxValue, 10, Cancel));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_was_left_behind_is_delivered_once_however_much_was_there_already(int there)
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var entry = Entry(DateTime.UtcNow - OutboxRelay.Age - TimeSpan.FromSeconds(1));
        await AddAsync(database, outbox, entry);
        var scope = database.ForTenant(Tenant);
        foreach (var sale in entry.Sales.Take(there))
        {
            await scope.SaleEvents.InsertAsync(sale, cancellationToken: Cancel);
        }

        foreach (var change in entry.Stock.Take(there - entry.Sales.Count))
        {
            await scope.InventoryEvents.InsertAsync(change, cancellationToken: Cancel);
        }

        using var relay = Relay(database, outbox);
        Assert.Equal(1, await relay.RelayAsync(Cancel));
        Assert.Equal(0, await relay.RelayAsync(Cancel));

        await DeliveredAsync(database, 2, 1);
    }

    [Fact]
    public async Task What_was_written_a_moment_ago_is_left_to_who_wrote_it()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        await AddAsync(database, outbox, Entry(DateTime.UtcNow));

        using var relay = Relay(database, outbox);
        Assert.Equal(0, await relay.RelayAsync(Cancel));

        await DeliveredAsync(database, 0, 0);
    }

    [Fact]
    public async Task An_entry_that_breaks_a_rule_stays_and_stands_in_nobodys_way()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var old = DateTime.UtcNow - OutboxRelay.Age - TimeSpan.FromMinutes(1);
        var broken = Entry(old);
        await AddAsync(database, outbox, broken with { Sales = [broken.Sales[0] with { Quantity = 0 }], Stock = [] });
        await AddAsync(database, outbox, Entry(old.AddSeconds(1)));

        using var relay = Relay(database, outbox);
        Assert.Equal(1, await relay.RelayAsync(Cancel));

        await DeliveredAsync(database, 2, 1);
        Assert.Equal(broken.Id, Assert.Single(await outbox.ReadAsync(DateTime.MaxValue, 10, Cancel)).Id);
    }

    private static OutboxRelay Relay(PlatformDatabase database, EventOutbox outbox) =>
        new(outbox, new MongoLeaseStore(database.Database), TimeProvider.System, NullLogger<OutboxRelay>.Instance);

    private static Task<bool> AddAsync(PlatformDatabase database, EventOutbox outbox, OutboxEntry entry) => database.TransactAsync(
        async (session, token) =>
        {
            await outbox.AddAsync(entry, session, token);
            return true;
        },
        Cancel);

    private static async Task DeliveredAsync(PlatformDatabase database, int sales, int changes)
    {
        var scope = database.ForTenant(Tenant);
        Assert.Equal((sales, changes), ((int)await scope.SaleEvents.CountAsync(cancellationToken: Cancel), (int)await scope.InventoryEvents.CountAsync(cancellationToken: Cancel)));
    }

    private static OutboxEntry Entry(DateTime at)
    {
        // As the database keeps it.
        at = new BsonDateTime(at).ToUniversalTime();
        var (order, store, product) = (ObjectId.GenerateNewId(), ObjectId.GenerateNewId(), ObjectId.GenerateNewId());
        return new OutboxEntry
        {
            Id = order,
            TenantId = Tenant,
            CreatedAt = at,
            Sales =
            [
                .. Enumerable.Range(1, 2).Select(number => new SaleEvent
                {
                    Id = ObjectId.GenerateNewId(), TenantId = Tenant, At = at, StoreId = store, ProductId = product, OrderId = order, Quantity = number,
                    Total = number, Currency = "EUR",
                }),
            ],
            Stock =
            [
                new InventoryEvent
                {
                    Id = ObjectId.GenerateNewId(), TenantId = Tenant, At = at, StoreId = store, ProductId = product, Kind = InventoryEventKind.Sold, Change = -3,
                    OnHand = 4,
                },
            ],
        };
    }

    // Documents of a tenant that does not exist: nobody asks for it.
    private async Task<PlatformDatabase> DatabaseAsync()
    {
        var database = gateway.NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        return new PlatformDatabase(database);
    }
}
