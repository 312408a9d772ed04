using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Events;
using MongoDB.Driver.Core.Servers;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;
using Platform.Tests.Unit.Data.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data;

/// <summary>The guard at the driver: what it refuses, what it counts, and what it says.</summary>
public sealed class TargetingGuardTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MongoMetrics _metrics;
    private readonly Measurements _measurements;
    private readonly RecordingLogger<CommandGuarding> _log = new();

    public TargetingGuardTests()
    {
        _metrics = new MongoMetrics(_services.GetRequiredService<IMeterFactory>());
        _measurements = new Measurements(_metrics.Meter);
    }

    public void Dispose()
    {
        _measurements.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void What_goes_to_all_shards_is_refused_and_counted()
    {
        var guarding = Guarding(CommandGuardMode.Refuse);
        guarding.Handle(Started("{ find: 'products', filter: { tenantId: 1 } }"));
        var refused = Assert.Throws<UntargetedCommandException>(() => guarding.Handle(Started("{ find: 'products', filter: { _id: 'secret' } }")));
        Assert.Equal("find on products names no value of tenantId, so that a sharded cluster asks all shards.", refused.Message);
        Assert.Equal(["db.namespace=shop,db.operation.name=find"], Counted());
    }

    [Fact]
    public void In_production_it_is_sent_and_counted_and_each_kind_is_logged_once()
    {
        var guarding = Guarding(CommandGuardMode.Count);
        for (var i = 0; i < 3; i++)
        {
            guarding.Handle(Started($"{{ find: 'products', filter: {{ _id: {i} }} }}"));
        }

        guarding.Handle(Started("{ delete: 'users', deletes: [{ q: { }, limit: 0 }] }"));
        Assert.Equal(3, Counted().Count(attributes => attributes == "db.namespace=shop,db.operation.name=find"));
        Assert.Equal(2, _log.Lines.Count);
    }

    [Theory]
    [InlineData("admin", "{ find: 'products', filter: { } }")]
    [InlineData("config", "{ find: 'orders', filter: { } }")]
    [InlineData("shop", "{ }")]
    [InlineData("shop", "{ hello: 1 }")]
    public void What_is_none_of_its_business_passes(string database, string command) =>
        Guarding(CommandGuardMode.Refuse).Handle(Started(command, database));

    private List<string> Counted() => [.. _measurements.Of("mongodb.client.untargeted_commands").Select(measured => measured.Attributes)];

    private CommandGuarding Guarding(CommandGuardMode mode) =>
        new(new TargetingGuard(), Options.Create(new CommandGuardOptions { Mode = mode }), _metrics, _log);

    private static CommandStartedEvent Started(string command, string database = "shop")
    {
        var document = BsonDocument.Parse(command);
        var connection = new ConnectionId(new ServerId(new ClusterId(), new DnsEndPoint("db1", 27017)));
        return new CommandStartedEvent(document.ElementCount == 0 ? "hello" : document.GetElement(0).Name, document, new(database), 1, 1, connection);
    }
}
