using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;
using OpenTelemetry.Trace;
using Xunit;

namespace Platform.Tests.Server.Hosting;

/// <summary>The registered MongoDB client against a server.</summary>
public sealed class MongoClientTests(MongoServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_answers_is_healthy()
    {
        server.Require();
        using var host = Build(server.ConnectionString);

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);

        Assert.Equal(HealthStatus.Healthy, report.Entries["MongoDB.Driver"].Status);
    }

    [Fact]
    public async Task A_server_that_refuses_the_user_is_unhealthy()
    {
        var database = server.NewDatabase(MongoFeature.Users);
        using var host = Build(server.ConnectionStringOf("nobody", "wrong", database));

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);

        Assert.Equal(HealthStatus.Unhealthy, report.Entries["MongoDB.Driver"].Status);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task An_operation_has_a_span_below_its_caller_unless_tracing_is_left_out(bool disabled, bool traced)
    {
        server.Require();
        List<Activity> spans = [];
        var database = server.NewDatabase().DatabaseNamespace.DatabaseName;
        using var source = new ActivitySource("test.mongo");
        using (var host = Build(server.ConnectionString, spans, ("Aspire:MongoDB:Driver:DisableTracing", disabled ? "true" : "false")))
        {
            await host.StartAsync(Cancellation);
            var things = host.Services.GetRequiredService<IMongoClient>().GetDatabase(database).GetCollection<BsonDocument>("things");
            using (source.StartActivity("caller"))
            {
                await things.Find(new BsonDocument("secret", "secret")).ToListAsync(Cancellation);
            }

            await host.StopAsync(Cancellation);
        }

        var caller = spans.Single(span => span.DisplayName == "caller");
        var below = spans.Where(span => span.TraceId == caller.TraceId && span != caller).ToList();
        Assert.Equal(traced, below.Count > 0);
        Assert.All(below, span =>
        {
            Assert.Equal("mongodb", span.GetTagItem("db.system.name") ?? span.GetTagItem("db.system"));
            Assert.DoesNotContain(span.TagObjects, tag => tag.Value is string text && text.Contains("secret", StringComparison.Ordinal));
        });
    }

    private static IHost Build(string connectionString, List<Activity>? spans = null, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
        [
            new("ConnectionStrings:platform", connectionString),
            .. settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)),
        ]);
        builder.AddMongoDBClient("platform", configureClientSettings: client => client.ServerSelectionTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddOpenTelemetry().WithTracing(traces => traces.AddSource("test.mongo").AddProcessor(new SpanRecorder(spans ?? [])));
        return builder.Build();
    }
}
