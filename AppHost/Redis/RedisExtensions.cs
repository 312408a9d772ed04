using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Commands;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Redis;

internal static class RedisExtensions
{
    // One configuration, whoever runs the server; the script beside it reads it, too.
    private const string Configuration = "redis.conf";
    private const string ContainerFiles = "/platform";

    /// <summary>
    /// Adds the Redis cache, run by the engine of <paramref name="options"/>. It is healthy when it answers an
    /// authenticated PING.
    /// </summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddCache(
        this IDistributedApplicationBuilder builder, string name, PlatformOptions options)
    {
        if (options.Engine == Engine.External)
        {
            return builder.AddConnectionString(name);
        }

        var password = builder.AddGeneratedSecret($"{name}-password", length: 22);

        if (options.Engine == Engine.Containers)
        {
            return builder.AddRedis(name, password: password)
                .WithImageSHA256(RedisImage.Digest)
                .WithDataVolume(DataVolume.NameOf(options.DataDirectory, name))
                .WithContainerFiles(ContainerFiles, [new ContainerFile
                {
                    Name = Configuration, Contents = File.ReadAllText(Path.Combine(options.NativeScripts, Configuration)),
                }])
                // redis-server takes a file as its first argument, and what follows has the last word.
                .WithArgs(context => context.Args.Insert(
                    context.Args.IndexOf("redis-server") + 1, $"{ContainerFiles}/{Configuration}"))
                .WithFlushCommand();
        }

        var apiPassword = builder.AddGeneratedSecret($"{name}-api-password", length: 22);
        var redis = new RedisServerResource(
            name, Path.Combine(options.NativeScripts, "redis"), options.NativeScripts, password.Resource, apiPassword.Resource);
        var healthCheck = $"{name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            healthCheck, new RedisPingHealthCheck(redis), failureStatus: HealthStatus.Unhealthy, tags: null));

        return builder.AddResource(redis)
            .WithArgs(options.ServerImage, Path.Combine(options.DataDirectory, "redis"))
            .WithEndpoint(scheme: "tcp", name: RedisServerResource.EndpointName, env: "REDIS_PORT", isProxied: false)
            .WithEnvironment("REDIS_PASSWORD", password)
            .WithEnvironment("REDIS_API_PASSWORD", apiPassword)
            .WithHealthCheck(healthCheck)
            .WithIconName("DatabaseLightning")
            .WithFlushCommand();
    }
}
