using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Observation;
using Platform.Caching.Servers;
using StackExchange.Redis;

namespace Platform.Api.Caching;

/// <summary>The caches of the API.</summary>
internal static class CachingExtensions
{
    private static readonly TimeSpan s_redisTimeout = TimeSpan.FromSeconds(1);

    public static void AddDataCaches(this WebApplicationBuilder builder)
    {
        builder.AddRedisClient(ResourceNames.Cache, configureOptions: options =>
        {
            // A cache that is slow is worse than none: no queueing while disconnected, short waits; and a look at who is the master of what in seconds.
            options.BacklogPolicy = BacklogPolicy.FailFast;
            options.ConnectTimeout = (int)s_redisTimeout.TotalMilliseconds;
            options.AsyncTimeout = (int)s_redisTimeout.TotalMilliseconds;
            options.SyncTimeout = (int)s_redisTimeout.TotalMilliseconds;
            options.ConfigCheckSeconds = 5;
            // Redis may come later than the API.
            options.AbortOnConnectFail = false;
            options.ReconnectRetryPolicy = new LinearRetry(500);
            // A key of its own name, which the user of the API may not use.
            options.TieBreaker = "";
            options.Trust(builder.Configuration[$"{CacheOptions.Section}:{nameof(CacheOptions.TlsCaFile)}"]);
            options.LogInBy(builder.Configuration[$"{CacheOptions.Section}:{nameof(CacheOptions.PasswordFile)}"]);
        });

        // Without Redis the API is slower and still right, so it stays ready.
        builder.Services.PostConfigure<HealthCheckServiceOptions>(health =>
        {
            foreach (var check in health.Registrations.Where(check => check.Name == "StackExchange.Redis"))
            {
                check.FailureStatus = HealthStatus.Degraded;
            }
        });

        builder.Services.AddOptions<CacheOptions>()
            .BindSettings(CacheOptions.Section)
            .ValidateLimits(CacheOptions.Section)
            .Validate(options => options.TlsCaFile.Length == 0 || File.Exists(options.TlsCaFile), $"{CacheOptions.Section}:TlsCaFile does not exist.");
        builder.Services.AddSingleton<CacheMetrics>();
        builder.Services.AddSingleton(services => new DataCaches(
            services.GetRequiredService<IConnectionMultiplexer>,
            services.GetRequiredService<IOptions<CacheOptions>>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<CacheMetrics>(),
            services.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddHostedService<CacheConnection>();
    }
}
