using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Events;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Server.Connections;

/// <summary>The pool as the options shape it, seen from the driver's events and by the server.</summary>
[Collection(ServerCollection.Name)]
public sealed class PoolTests(GatewayFixture gateway)
{
    private const int Min = 3;
    private const int Max = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_pool_stays_within_its_maximum_and_goes_back_to_its_minimum()
    {
        gateway.Require();
        var before = await ServerConnectionsAsync();
        var (open, most) = (0, 0);
        var settings = MongoClientSettings.FromConnectionString(gateway.ConnectionString);
        new MongoOptions { MinPoolSize = Min, MaxPoolSize = Max, MaxIdleTime = TimeSpan.FromSeconds(1) }.ApplyTo(settings);
        settings.ClusterConfigurator = cluster => cluster
            .Subscribe<ConnectionPoolAddedConnectionEvent>(_ =>
            {
                var now = Interlocked.Increment(ref open);
                for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
                {
                    Interlocked.CompareExchange(ref most, now, seen);
                }
            })
            .Subscribe<ConnectionPoolRemovedConnectionEvent>(_ => Interlocked.Decrement(ref open))
            // Once a minute by default, which is right for a service and long for a test.
            .ConfigureConnectionPool(pool => pool.With(maintenanceInterval: TimeSpan.FromMilliseconds(100)));
        using var client = new MongoClient(settings);
        var admin = client.GetDatabase("admin");

        await UntilAsync(() => Volatile.Read(ref open) == Min);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => admin.RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), null, Cancel)));

        Assert.InRange(Volatile.Read(ref most), Min + 1, Max);
        // Besides the pool, a client has up to three connections by which it watches the server.
        Assert.InRange(await ServerConnectionsAsync() - before, 1, Max + 3);
        await UntilAsync(() => Volatile.Read(ref open) == Min);
        await UntilServerAsync(count => count - before <= Min + 3);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        while (!condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private async Task UntilServerAsync(Func<int, bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        while (!condition(await ServerConnectionsAsync()))
        {
            await Task.Delay(50, limit.Token);
        }
    }

    private async Task<int> ServerConnectionsAsync()
    {
        var status = await gateway.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("serverStatus", 1), null, Cancel);
        return status["connections"]["current"].ToInt32();
    }
}
