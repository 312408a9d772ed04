using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Unit.Hosting;

/// <summary>What the registration of clients promises. Written against the public API alone, so that it holds for the official packages too.</summary>
public sealed class ClientRegistrationTests
{
    // Nothing listens on the discard port of this machine.
    private const string DeadMongo = "mongodb://127.0.0.1:9/shop?serverSelectionTimeoutMS=200&connectTimeoutMS=200";
    private const string DeadRedis = "127.0.0.1:9,connectTimeout=200,connectRetry=0,asyncTimeout=200,syncTimeout=200";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_database_is_registered_when_the_connection_string_names_one()
    {
        using var host = Build(builder => builder.AddMongoDBClient("platform"), ("ConnectionStrings:platform", DeadMongo));

        Assert.Equal("shop", host.Services.GetRequiredService<IMongoDatabase>().DatabaseNamespace.DatabaseName);
        Assert.Same(host.Services.GetRequiredService<IMongoClient>(), host.Services.GetRequiredService<IMongoDatabase>().Client);
    }

    [Fact]
    public void No_database_is_registered_when_the_connection_string_names_none()
    {
        using var host = Build(builder => builder.AddMongoDBClient("platform"), ("ConnectionStrings:platform", "mongodb://127.0.0.1:9"));

        Assert.NotNull(host.Services.GetService<IMongoClient>());
        Assert.Null(host.Services.GetService<IMongoDatabase>());
    }

    [Fact]
    public void Keyed_clients_are_apart()
    {
        using var host = Build(
            builder =>
            {
                builder.AddKeyedMongoDBClient("one");
                builder.AddKeyedMongoDBClient("two");
            },
            ("ConnectionStrings:one", "mongodb://127.0.0.1:9/a"),
            ("ConnectionStrings:two", "mongodb://127.0.0.1:9/b"));

        Assert.Null(host.Services.GetService<IMongoClient>());
        Assert.Equal("a", host.Services.GetRequiredKeyedService<IMongoDatabase>("one").DatabaseNamespace.DatabaseName);
        Assert.Equal("b", host.Services.GetRequiredKeyedService<IMongoDatabase>("two").DatabaseNamespace.DatabaseName);
        Assert.Equal(["MongoDB.Driver_one", "MongoDB.Driver_two"], Checks(host).Select(check => check.Name).Order());
    }

    [Fact]
    public void The_named_section_wins_over_the_common_one_and_the_connection_string_over_both()
    {
        string? mongo = null;
        int? timeout = null;
        using var host = Build(
            builder => builder.AddMongoDBClient("platform", settings => (mongo, timeout) = (settings.ConnectionString, settings.HealthCheckTimeout)),
            ("Aspire:MongoDB:Driver:ConnectionString", "mongodb://common"),
            ("Aspire:MongoDB:Driver:HealthCheckTimeout", "1"),
            ("Aspire:MongoDB:Driver:platform:ConnectionString", "mongodb://named"),
            ("Aspire:MongoDB:Driver:platform:HealthCheckTimeout", "2"),
            ("ConnectionStrings:platform", "mongodb://winner"));

        Assert.Equal("mongodb://winner", mongo);
        Assert.Equal(2, timeout);
        Assert.Equal(TimeSpan.FromMilliseconds(2), Assert.Single(Checks(host)).Timeout);
    }

    [Fact]
    public void The_delegates_have_the_last_word()
    {
        string? application = null;
        using var host = Build(
            builder => builder.AddMongoDBClient(
                "platform",
                settings => settings.ConnectionString = "mongodb://127.0.0.1:9/late",
                client =>
                {
                    client.ApplicationName = "shop";
                    application = client.ApplicationName;
                }),
            ("ConnectionStrings:platform", DeadMongo));

        Assert.Equal("late", host.Services.GetRequiredService<IMongoDatabase>().DatabaseNamespace.DatabaseName);
        Assert.Equal("shop", application);
    }

    [Fact]
    public void A_missing_connection_string_is_named_when_the_client_is_first_used()
    {
        using var host = Build(builder =>
        {
            builder.AddMongoDBClient("platform");
            builder.AddRedisClient("cache");
        });

        var mongo = Assert.Throws<InvalidOperationException>(host.Services.GetRequiredService<IMongoClient>);
        var redis = Assert.Throws<InvalidOperationException>(host.Services.GetRequiredService<IConnectionMultiplexer>);
        Assert.Contains("ConnectionStrings:platform", mongo.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings:cache", redis.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Health_checks_have_the_official_names_and_can_be_left_out()
    {
        using var with = Build(
            builder =>
            {
                builder.AddMongoDBClient("platform");
                builder.AddMongoDBClient("platform");
                builder.AddRedisClient("cache");
            },
            ("ConnectionStrings:platform", DeadMongo),
            ("ConnectionStrings:cache", DeadRedis));
        using var without = Build(
            builder =>
            {
                builder.AddMongoDBClient("platform");
                builder.AddRedisClient("cache", settings => settings.DisableHealthChecks = true);
            },
            ("Aspire:MongoDB:Driver:DisableHealthChecks", "true"),
            ("ConnectionStrings:platform", DeadMongo),
            ("ConnectionStrings:cache", DeadRedis));

        Assert.Equal(["MongoDB.Driver", "StackExchange.Redis"], Checks(with).Select(check => check.Name).Order());
        Assert.Empty(Checks(without));
    }

    [Fact]
    public async Task Servers_that_are_down_make_the_checks_unhealthy_and_nothing_throw()
    {
        using var host = Build(
            builder =>
            {
                builder.AddMongoDBClient("platform");
                builder.AddRedisClient("cache");
            },
            ("ConnectionStrings:platform", DeadMongo),
            ("ConnectionStrings:cache", DeadRedis));

        await host.StartAsync(Cancellation);
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);

        Assert.Equal(HealthStatus.Unhealthy, report.Entries["MongoDB.Driver"].Status);
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["StackExchange.Redis"].Status);
        Assert.False(host.Services.GetRequiredService<IConnectionMultiplexer>().IsConnected);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public void The_options_of_the_redis_client_are_read_from_the_configuration()
    {
        ConfigurationOptions? seen = null;
        using var host = Build(
            builder => builder.AddRedisClient("cache", configureOptions: options => seen = options),
            ("ConnectionStrings:cache", DeadRedis),
            ("Aspire:StackExchange:Redis:ConfigurationOptions:KeepAlive", "17"),
            ("Aspire:StackExchange:Redis:cache:ConfigurationOptions:ClientName", "shop"));

        _ = host.Services.GetRequiredService<IConnectionMultiplexer>();

        Assert.Equal(17, seen!.KeepAlive);
        Assert.Equal("shop", seen.ClientName);
        Assert.False(seen.AbortOnConnectFail);
    }

    [Fact]
    public void Abort_on_a_failed_connection_can_be_asked_for()
    {
        using var host = Build(builder => builder.AddRedisClient("cache"), ("ConnectionStrings:cache", DeadRedis + ",abortConnect=true"));

        Assert.Throws<RedisConnectionException>(host.Services.GetRequiredService<IConnectionMultiplexer>);
    }

    private static ICollection<HealthCheckRegistration> Checks(IHost host) =>
        host.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;

    private static IHost Build(Action<IHostApplicationBuilder> register, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        register(builder);
        return builder.Build();
    }
}
