using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Aspire.Hosting;

/// <summary>Adds Redis servers in containers.</summary>
public static class RedisBuilderExtensions
{
    private const int ContainerPort = 6379;
    private const string DataDirectory = "/data";
    private static readonly TimeSpan s_defaultSaveInterval = TimeSpan.FromSeconds(60);

    /// <summary>Adds a Redis server with a generated password.</summary>
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, [ResourceName] string name, int? port)
        => builder.AddRedis(name, port, password: null);

    /// <summary>Adds a Redis server.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="port">The public port; null: any free one.</param>
    /// <param name="password">The password; null: generated and kept in the user secrets.</param>
    public static IResourceBuilder<RedisResource> AddRedis(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        int? port = null,
        IResourceBuilder<ParameterResource>? password = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var secret = password?.Resource ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var redis = new RedisResource(name, secret);
        var check = $"{name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(check, _ => new RedisHealthCheck(redis), failureStatus: null, tags: null));
        return builder.AddResource(redis)
            .WithEndpoint(port, ContainerPort, RedisResource.Scheme, RedisResource.PrimaryEndpointName)
            .WithImage("library/redis", "8.6")
            .WithImageRegistry("docker.io")
            .WithIconName("Database")
            .WithHealthCheck(check)
            .WithEntrypoint("/bin/sh")
            .WithEnvironment(context =>
            {
                if (redis.PasswordParameter is { } value)
                {
                    context.EnvironmentVariables["REDIS_PASSWORD"] = value;
                }
            })
            .WithArgs(context =>
            {
                context.Args.Add("redis-server");
                if (redis.PasswordParameter is not null)
                {
                    context.Args.Add("--requirepass");
                    context.Args.Add("$REDIS_PASSWORD"); // the shell expands it, so that the password is on no command line of ours
                }

                if (redis.TryGetLastAnnotation<RedisPersistenceAnnotation>(out var save))
                {
                    context.Args.Add("--save");
                    context.Args.Add(save.Interval.TotalSeconds.ToString(CultureInfo.InvariantCulture));
                    context.Args.Add(save.KeysChangedThreshold.ToString(CultureInfo.InvariantCulture));
                }
            });
    }

    /// <summary>Keeps the data in a volume, and saves it from time to time.</summary>
    public static IResourceBuilder<RedisResource> WithDataVolume(
        this IResourceBuilder<RedisResource> builder,
        string? name = null,
        bool isReadOnly = false)
    {
        builder.WithVolume(name ?? $"{builder.Resource.Name}-data", DataDirectory, isReadOnly);
        return isReadOnly ? builder : builder.WithPersistence();
    }

    /// <summary>Keeps the data in a directory of the host, and saves it from time to time.</summary>
    public static IResourceBuilder<RedisResource> WithDataBindMount(this IResourceBuilder<RedisResource> builder, string source, bool isReadOnly = false)
    {
        builder.WithBindMount(source, DataDirectory, isReadOnly);
        return isReadOnly ? builder : builder.WithPersistence();
    }

    /// <summary>Saves the data after an interval (default: 60 s) if so many keys have changed.</summary>
    public static IResourceBuilder<RedisResource> WithPersistence(
        this IResourceBuilder<RedisResource> builder,
        TimeSpan? interval = null,
        long keysChangedThreshold = 1)
        => builder.WithAnnotation(
            new RedisPersistenceAnnotation(interval ?? s_defaultSaveInterval, keysChangedThreshold), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Sets the public port; null: any free one.</summary>
    public static IResourceBuilder<RedisResource> WithHostPort(this IResourceBuilder<RedisResource> builder, int? port)
        => builder.WithEndpoint(RedisResource.PrimaryEndpointName, endpoint => endpoint.Port = port);

    /// <summary>Sets the password; null: none.</summary>
    public static IResourceBuilder<RedisResource> WithPassword(
        this IResourceBuilder<RedisResource> builder,
        IResourceBuilder<ParameterResource>? password)
    {
        builder.Resource.SetPassword(password?.Resource);
        return builder;
    }

    private sealed record RedisPersistenceAnnotation(TimeSpan Interval, long KeysChangedThreshold) : IResourceAnnotation;

    private sealed class RedisHealthCheck(RedisResource redis) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                var connectionString = await redis.GetConnectionStringAsync(cancellationToken);
                await using var connection = await ConnectionMultiplexer.ConnectAsync(connectionString!);
                await connection.GetDatabase().PingAsync();
                return HealthCheckResult.Healthy();
            }
            catch (Exception ex) when (ex is RedisException or TimeoutException)
            {
                return HealthCheckResult.Unhealthy("Redis does not answer.", ex);
            }
        }
    }
}
