using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Trace;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

/// <summary>The registered Redis client against a Redis server.</summary>
public sealed class RedisClientTests(RedisServer server) : IClassFixture<RedisServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_command_has_a_span_below_its_caller()
    {
        server.Require();
        List<Activity> spans = [];
        using var source = new ActivitySource("test.redis");
        ActivityTraceId trace;
        ActivitySpanId parent;
        using (var host = Build(spans))
        {
            await host.StartAsync(Cancellation);
            var redis = host.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();
            using (var caller = source.StartActivity("caller")!)
            {
                (trace, parent) = (caller.TraceId, caller.SpanId);
                await redis.StringSetAsync("secret-key", "secret-value");
                await redis.StringGetAsync("secret-key");
            }

            await host.StopAsync(Cancellation);
        }

        var commands = spans.Where(span => span.ParentSpanId == parent).OrderBy(span => span.StartTimeUtc).ToList();
        Assert.Equal(["SET", "GET"], commands.Select(span => span.DisplayName));
        Assert.All(commands, span =>
        {
            Assert.Equal(trace, span.TraceId);
            Assert.Equal(ActivityKind.Client, span.Kind);
            Assert.Equal("redis", span.GetTagItem("db.system.name"));
            Assert.Equal(span.DisplayName, span.GetTagItem("db.operation.name"));
            Assert.Equal("0", span.GetTagItem("db.namespace"));
            Assert.Equal("127.0.0.1", span.GetTagItem("server.address"));
            Assert.InRange(span.Duration, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(5));
            Assert.DoesNotContain(span.TagObjects, tag => tag.Value is string text && text.Contains("secret", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task Callers_that_are_not_sampled_leave_no_spans()
    {
        server.Require();
        List<Activity> spans = [];
        using var source = new ActivitySource("test.redis");
        using (var host = Build(spans, tracing => tracing.SetSampler(new AlwaysOffSampler())))
        {
            await host.StartAsync(Cancellation);
            var redis = host.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();
            using (source.StartActivity("caller"))
            {
                await redis.PingAsync();
            }

            await host.StopAsync(Cancellation);
        }

        Assert.Empty(spans);
    }

    [Fact]
    public async Task Callers_beyond_the_bound_are_served_and_not_traced()
    {
        server.Require();
        const int Bound = 5_000;
        List<Activity> spans = [];
        using var source = new ActivitySource("test.redis");
        using (var host = Build(spans))
        {
            await host.StartAsync(Cancellation);
            var redis = host.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();
            for (var caller = 0; caller < Bound + 100; caller++)
            {
                using var activity = source.StartActivity("caller");
                await redis.PingAsync();
            }

            await host.StopAsync(Cancellation);
        }

        Assert.Equal(Bound, spans.Count(span => span.DisplayName == "PING"));
    }

    [Fact]
    public async Task Tracing_can_be_left_out()
    {
        server.Require();
        List<Activity> spans = [];
        using var source = new ActivitySource("test.redis");
        using (var host = Build(spans, settings: ("Aspire:StackExchange:Redis:DisableTracing", "true")))
        {
            await host.StartAsync(Cancellation);
            using (source.StartActivity("caller"))
            {
                await host.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase().PingAsync();
            }

            await host.StopAsync(Cancellation);
        }

        Assert.Equal(["caller"], spans.Select(span => span.DisplayName));
    }

    [Fact]
    public async Task A_client_that_came_before_its_server_works_once_the_server_is_there()
    {
        server.Require();
        await server.StopAsync();
        using var host = Build([]);
        await host.StartAsync(Cancellation);
        var health = host.Services.GetRequiredService<HealthCheckService>();
        var redis = host.Services.GetRequiredService<IConnectionMultiplexer>();
        var before = await health.CheckHealthAsync(Cancellation);
        var restored = new TaskCompletionSource();
        redis.ConnectionRestored += (_, _) => restored.TrySetResult();

        await server.StartAsync();
        await restored.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        var after = await health.CheckHealthAsync(Cancellation);

        Assert.Equal(HealthStatus.Unhealthy, before.Entries["StackExchange.Redis"].Status);
        Assert.Equal(HealthStatus.Healthy, after.Entries["StackExchange.Redis"].Status);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_connection_can_be_made_while_the_host_starts()
    {
        server.Require();
        using var host = Build([], settings: ("Aspire:StackExchange:Redis:DisableAutoActivation", "false"));

        await host.StartAsync(Cancellation);

        Assert.True(host.Services.GetRequiredService<IConnectionMultiplexer>().IsConnected);
        await host.StopAsync(Cancellation);
    }

    private IHost Build(List<Activity> spans, Action<TracerProviderBuilder>? tracing = null, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
        [
            new("ConnectionStrings:cache", server.ConnectionString),
            .. settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)),
        ]);
        builder.AddRedisClient("cache");
        builder.Services.AddOpenTelemetry().WithTracing(traces =>
        {
            traces.AddSource("test.redis").AddProcessor(new SpanRecorder(spans));
            tracing?.Invoke(traces);
        });
        return builder.Build();
    }
}
