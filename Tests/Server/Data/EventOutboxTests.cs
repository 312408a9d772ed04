using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Api.Events;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Server.Data;

/// <summary>Events are where they belong exactly once, whenever who wrote them was stopped.</summary>
public sealed class EventOutboxTests(MongoServer server)
{
    private static readonly ObjectId Tenant = ObjectId.GenerateNewId();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_entry_of_a_committed_transaction_is_delivered_and_removed()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var entry = Entry(DateTime.UtcNow);

        await using var delivery = new OutboxDelivery(outbox, TimeProvider.System, NullLogger<OutboxDelivery>.Instance);
        var writer = new OutboxWriter(database, outbox, TestCaches.Away(), delivery);
        Assert.True(await writer.CommitAsync((_, _) => Task.FromResult((true, (OutboxEntry?)entry)), Cancel));

        await delivery.Idle;
        await DeliveredAsync(database, 2, 1);
        Assert.Empty(await LeftAsync(database));
    }

    [Fact]
    public async Task Entries_that_come_together_are_delivered_in_one_go_and_those_that_the_relay_may_be_at_are_left_to_it()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        OutboxEntry[] entries = [.. Enumerable.Range(0, 20).Select(_ => Entry(DateTime.UtcNow)), Entry(DateTime.UtcNow - OutboxDelivery.MostAge)];
        foreach (var entry in entries)
        {
            await AddAsync(database, outbox, entry);
        }

        await using var delivery = new OutboxDelivery(outbox, TimeProvider.System, NullLogger<OutboxDelivery>.Instance);
        Array.ForEach(entries, delivery.Add);
        await delivery.Idle;

        await DeliveredAsync(database, 40, 20);
        Assert.Equal(entries[^1].Id, Assert.Single(await LeftAsync(database))["_id"]);
    }

    [Fact]
    public async Task What_is_waiting_when_the_process_ends_is_delivered_before()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var entry = Entry(DateTime.UtcNow);
        await AddAsync(database, outbox, entry);

        var delivery = new OutboxDelivery(outbox, TimeProvider.System, NullLogger<OutboxDelivery>.Instance);
        delivery.Add(entry);
        await delivery.DisposeAsync();

        await DeliveredAsync(database, 2, 1);
        Assert.Empty(await LeftAsync(database));
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

        Assert.Empty(await LeftAsync(database));
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
    public async Task An_event_that_is_there_already_is_not_written_again_also_when_its_entry_has_another_time()
    {
        // As by a process that wrote it and was paused before it removed the entry: unique keys, which no time series has, refuse the second.
        var database = await DatabaseAsync(plain: true);
        var outbox = new EventOutbox(database);
        var entry = Entry(Old);
        await AddAsync(database, outbox, entry);
        await outbox.DeliverAgainAsync(entry with { Id = ObjectId.GenerateNewId() }, fence: 0, Cancel);
        await outbox.DeliverAsync([entry], Cancel);

        await DeliveredAsync(database, 2, 1);
        Assert.Empty(await LeftAsync(database));
    }

    [Theory]
    [InlineData("kind")]
    [InlineData("member")]
    [InlineData("key")]
    [InlineData("tenant")]
    [InlineData("rule")]
    [InlineData("conflict")]
    public async Task An_entry_that_cannot_be_delivered_fails_alone_and_stays_as_it_was(string fault)
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var entry = Entry(Old);
        var stored = entry.ToBsonDocument();
        switch (fault)
        {
            case "kind":
                stored["stock"][0]["kind"] = "transferred";
                break;
            case "member":
                stored["transfers"] = new BsonArray { 1 };
                break;
            case "key":
                stored["_id"] = "a text";
                break;
            case "tenant":
                stored.Remove("tenantId");
                break;
            case "rule":
                stored["sales"][0]["quantity"] = 0;
                break;
            case "conflict":
                await database.ForTenant(Tenant).InventoryEvents
                    .InsertAsync(entry.Stock[0] with { OnHand = 17 }, cancellationToken: Cancel);
                break;
        }

        await Outbox(database).InsertOneAsync(stored, cancellationToken: Cancel);
        await AddAsync(database, outbox, Entry(Old.AddSeconds(1)));
        var metrics = new OutboxMetrics(new Meters());
        using var relay = Relay(database, outbox, metrics: metrics);

        Assert.Equal(1, await relay.RelayAsync(Cancel));
        Assert.Equal(0, await relay.RelayAsync(Cancel));

        var left = Assert.Single(await LeftAsync(database));
        Assert.Equal(1, left["delivery"]["attempts"]);
        Assert.NotEmpty(left["delivery"]["error"].AsString);
        left.Remove("delivery");
        Assert.Equal(stored.ToBson(), left.ToBson());
    }

    [Fact]
    public async Task A_hundred_entries_that_are_refused_hold_up_nobody_and_are_set_aside_after_the_last_attempt()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broken = Entry(Old.AddHours(-1));
        await Outbox(database).InsertManyAsync(Enumerable.Range(0, 100).Select(_ =>
            (broken with { Id = ObjectId.GenerateNewId(), Sales = [broken.Sales[0] with { Quantity = 0 }], Stock = [] }).ToBsonDocument()),
            cancellationToken: Cancel);
        await AddAsync(database, outbox, Entry(Old));
        await AddAsync(database, outbox, Entry(Old, ObjectId.GenerateNewId()));
        using var relay = Relay(database, outbox, time);

        Assert.Equal(2, await relay.RelayAsync(Cancel));

        // Nobody is at them while they wait.
        Assert.Equal(0, await relay.RelayAsync(Cancel));
        Assert.All(await LeftAsync(database), left => Assert.Equal(1, left["delivery"]["attempts"]));

        // Most of a hundred at ten attempts would only be more of the same.
        await Outbox(database).DeleteManyAsync(new BsonDocument("_id", new BsonDocument("$ne", (await LeftAsync(database))[0]["_id"])), Cancel);
        for (var attempt = 1; attempt < OutboxRelay.MaxAttempts; attempt++)
        {
            Assert.False(Assert.Single(await LeftAsync(database))["delivery"].AsBsonDocument.Contains("setAsideAt"));
            time.Advance(OutboxRelay.PauseAfter(attempt));
            await relay.RelayAsync(Cancel);
        }

        var last = Assert.Single(await LeftAsync(database));
        Assert.Equal(OutboxRelay.MaxAttempts, last["delivery"]["attempts"]);
        Assert.True(last["delivery"]["setAsideAt"].IsValidDateTime);
        time.Advance(TimeSpan.FromDays(1));
        var now = time.GetUtcNow().UtcDateTime;
        Assert.Empty(await outbox.TenantsAsync(now, now, Cancel));

        // As a person requeues it, and as a program finds it that can read more than the one that gave up.
        await Outbox(database).UpdateOneAsync(
            new BsonDocument("_id", last["_id"]), new BsonDocument("$set", new BsonDocument("delivery.form", EventOutbox.Form - 1)), cancellationToken: Cancel);
        Assert.Single(await outbox.TenantsAsync(now, now, Cancel));
        await Outbox(database).UpdateOneAsync(
            new BsonDocument("_id", last["_id"]), new BsonDocument("$unset", new BsonDocument("delivery", 1)), cancellationToken: Cancel);
        Assert.Equal(0, Assert.Single(await outbox.ReadAsync(Tenant, now, now, 10, Cancel)).Attempts);
    }

    [Fact]
    public async Task Who_holds_an_old_lease_neither_takes_nor_removes_what_a_later_holder_is_at()
    {
        var database = await DatabaseAsync();
        var outbox = new EventOutbox(database);
        var entry = Entry(Old);
        await AddAsync(database, outbox, entry);
        var now = DateTime.UtcNow;
        var left = Assert.Single(await outbox.ReadAsync(Tenant, now, now, 10, Cancel));
        Assert.True(await outbox.ClaimAsync(left, fence: 7, now.AddMinutes(1), Cancel));

        Assert.False(await outbox.ClaimAsync(left, fence: 6, now.AddMinutes(1), Cancel));
        await outbox.FailAsync(left, fence: 6, "late", now, Cancel);
        await outbox.DeliverAgainAsync(entry, fence: 6, Cancel);

        // What it wrote is what the later one would write, and is written once.
        Assert.False(Assert.Single(await LeftAsync(database))["delivery"].AsBsonDocument.Contains("error"));
        await outbox.DeliverAgainAsync(entry, fence: 7, Cancel);
        await DeliveredAsync(database, 2, 1);
        Assert.Empty(await LeftAsync(database));
    }

    private static DateTime Old => DateTime.UtcNow - OutboxRelay.Age - TimeSpan.FromMinutes(1);

    private static IMongoCollection<BsonDocument> Outbox(PlatformDatabase database) => database.Database.GetCollection<BsonDocument>(CollectionNames.Outbox);

    private static Task<List<BsonDocument>> LeftAsync(PlatformDatabase database) => Outbox(database).Find(new BsonDocument()).ToListAsync(Cancel);

    private static OutboxRelay Relay(PlatformDatabase database, EventOutbox outbox, TimeProvider? time = null, OutboxMetrics? metrics = null) => new(
        outbox,
        TestCaches.Away(),
        new MongoLeaseStore(database.Database),
        metrics ?? new OutboxMetrics(new Meters()),
        time ?? TimeProvider.System,
        NullLogger<OutboxRelay>.Instance);

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
        Assert.Equal(
            (sales, changes),
            ((int)await scope.SaleEvents.CountAsync(cancellationToken: Cancel), (int)await scope.InventoryEvents.CountAsync(cancellationToken: Cancel)));
    }

    private static OutboxEntry Entry(DateTime at, ObjectId? tenant = null)
    {
        // As the database keeps it.
        at = new BsonDateTime(at).ToUniversalTime();
        var (order, store, product) = (ObjectId.GenerateNewId(), ObjectId.GenerateNewId(), ObjectId.GenerateNewId());
        return new OutboxEntry
        {
            Id = order,
            TenantId = tenant ?? Tenant,
            CreatedAt = at,
            Sales =
            [
                .. Enumerable.Range(1, 2).Select(number => new SaleEvent
                {
                    Id = ObjectId.GenerateNewId(), TenantId = tenant ?? Tenant, At = at, StoreId = store, ProductId = product, OrderId = order,
                    Quantity = number,
                    Total = number, Currency = "EUR",
                }),
            ],
            Stock =
            [
                new InventoryEvent
                {
                    Id = ObjectId.GenerateNewId(), TenantId = tenant ?? Tenant, At = at, StoreId = store, ProductId = product, Kind = InventoryEventKind.Sold,
                    Change = -3,
                    OnHand = 4,
                },
            ],
        };
    }

    // Documents of a tenant that does not exist: nobody asks for it.
    private async Task<PlatformDatabase> DatabaseAsync(bool plain = false)
    {
        var database = server.NewDatabase(MongoFeature.Transactions);
        foreach (var (name, series) in new[] { CollectionCatalogue.SaleEvents, (CollectionDefinition)CollectionCatalogue.InventoryEvents }.Select(
            events => (events.Name, events.TimeSeries!)))
        {
            var create = new BsonDocument("create", name);
            create.AddRange(plain ? [] : series.Options());
            await database.RunCommandAsync<BsonDocument>(create, cancellationToken: Cancel);
        }

        return new PlatformDatabase(database);
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
