using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using NSubstitute;
using Platform.Api.Events;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Mongo.Leases;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class OutboxRelayTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(typeof(FormatException))]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(MongoException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task Whatever_goes_wrong_the_process_goes_on_and_tries_again(Type failure)
    {
        var asked = 0;
        var entries = Substitute.For<IMongoCollection<BsonDocument>>();
        entries.WithReadPreference(null!).ReturnsForAnyArgs(entries);
        entries.WithReadConcern(null!).ReturnsForAnyArgs(entries);
        entries.WithWriteConcern(null!).ReturnsForAnyArgs(entries);
        entries.DistinctAsync<BsonValue>((FieldDefinition<BsonDocument, BsonValue>)null!, null!, null, Cancellation)
            .ReturnsForAnyArgs<IAsyncCursor<BsonValue>>(_ =>
        {
            asked++;
            throw (Exception)Activator.CreateInstance(failure, "out of the blue")!;
        });
        var database = Substitute.For<IMongoDatabase>();
        database.GetCollection<BsonDocument>(null!).ReturnsForAnyArgs(entries);
        var time = new FakeTimeProvider();
        using var meters = new Meters();
        using var relay = new OutboxRelay(
            new EventOutbox(new PlatformDatabase(database)),
            TestCaches.Away(),
            new InMemoryLeaseStore(time),
            new OutboxMetrics(meters),
            time,
            NullLogger<OutboxRelay>.Instance);

        await relay.StartAsync(Cancellation);
        while (Volatile.Read(ref asked) < 2 && !relay.ExecuteTask!.IsCompleted)
        {
            time.Advance(OutboxRelay.Interval);
            await Task.Yield();
        }

        Assert.False(relay.ExecuteTask!.IsCompleted, relay.ExecuteTask.Exception?.Message);
        await relay.StopAsync(Cancellation);
    }

    [Fact]
    public void Pauses_grow_to_an_hour()
    {
        Assert.Equal(
            [1, 2, 4, 8, 16, 32, 60, 60],
            Enumerable.Range(1, 8).Select(attempt => OutboxRelay.PauseAfter(attempt).TotalMinutes));
        Assert.Equal(TimeSpan.FromHours(1), OutboxRelay.PauseAfter(5_000));
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
