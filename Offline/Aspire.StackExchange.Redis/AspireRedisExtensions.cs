using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers Redis clients by the name of a connection string.</summary>
public static class AspireRedisExtensions
{
    private const string SectionName = "Aspire:StackExchange:Redis";
    private const string HealthCheckName = "StackExchange.Redis";

    /// <summary>
    /// Registers a singleton <see cref="IConnectionMultiplexer"/>, a health check <c>StackExchange.Redis</c> that pings, and
    /// a span for each command. The connection is made at the first use and keeps retrying: a server that is down does not
    /// make the registration fail, unless the connection string says <c>abortConnect=true</c>.
    /// </summary>
    /// <param name="builder">The host builder.</param>
    /// <param name="connectionName">The key below <c>ConnectionStrings</c>.</param>
    /// <param name="configureSettings">Changes the settings after they were read from the configuration.</param>
    /// <param name="configureOptions">Changes the client's options before it connects.</param>
    /// <remarks>
    /// Resolving the connection throws <see cref="InvalidOperationException"/> when no endpoint is configured.
    /// </remarks>
    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null) =>
        Add(builder, connectionName, serviceKey: null, configureSettings, configureOptions);

    /// <summary>
    /// As <see cref="AddRedisClient"/>, with the connection keyed by <paramref name="name"/> and a health check
    /// <c>StackExchange.Redis_NAME</c>, so that one program can use several servers.
    /// </summary>
    /// <param name="builder">The host builder.</param>
    /// <param name="name">The service key, which is also the key below <c>ConnectionStrings</c>.</param>
    /// <param name="configureSettings">Changes the settings after they were read from the configuration.</param>
    /// <param name="configureOptions">Changes the client's options before it connects.</param>
    public static void AddKeyedRedisClient(
        this IHostApplicationBuilder builder,
        string name,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null) =>
        Add(builder, name, serviceKey: name, configureSettings, configureOptions);

    private static void Add(
        IHostApplicationBuilder builder,
        string connectionName,
        string? serviceKey,
        Action<StackExchangeRedisSettings>? configureSettings,
        Action<ConfigurationOptions>? configureOptions)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var section = builder.Configuration.GetSection(SectionName);
        var named = section.GetSection(connectionName);
        var settings = new StackExchangeRedisSettings();
        section.Bind(settings);
        named.Bind(settings);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configureSettings?.Invoke(settings);

        // A null key is the same as no key, so both kinds of registration share one path.
        builder.Services.AddKeyedSingleton<IConnectionMultiplexer>(serviceKey, (services, _) =>
        {
            var options = Options(connectionName, settings, section, named);
            configureOptions?.Invoke(options);
            if (options.EndPoints.Count == 0)
            {
                throw new InvalidOperationException(
                    $"There is no Redis endpoint: set ConnectionStrings:{connectionName} or {SectionName}:ConnectionString.");
            }

            options.LoggerFactory ??= services.GetService<ILoggerFactory>();
            var connection = ConnectionMultiplexer.Connect(options);
            if (!settings.DisableTracing)
            {
                services.GetRequiredService<RedisSpans>().Watch(connection);
            }

            return connection;
        });
        if (!settings.DisableAutoActivation)
        {
            builder.Services.AddSingleton<IHostedService>(services =>
                new RedisActivation(() => services.GetRequiredKeyedService<IConnectionMultiplexer>(serviceKey)));
        }

        if (!settings.DisableTracing)
        {
            AddTracing(builder.Services);
        }

        if (!settings.DisableHealthChecks)
        {
            AddHealthCheck(builder.Services, connectionName, serviceKey);
        }
    }

    private static ConfigurationOptions Options(
        string connectionName, StackExchangeRedisSettings settings, IConfiguration section, IConfiguration named)
    {
        var text = settings.ConnectionString ?? "";
        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(text);
        }
        catch (ArgumentException exception)
        {
            // The client's own message is kept as the cause only: it quotes the text, password included.
            throw new InvalidOperationException($"ConnectionStrings:{connectionName} is not a Redis connection string.", exception);
        }

        if (!text.Contains("abortConnect", StringComparison.OrdinalIgnoreCase))
        {
            options.AbortOnConnectFail = false;
        }

        section.GetSection("ConfigurationOptions").Bind(options);
        named.GetSection("ConfigurationOptions").Bind(options);
        return options;
    }

    private static void AddTracing(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(RedisSpans)))
        {
            return;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RedisSpans>();
        services.AddOpenTelemetry().WithTracing(tracing => tracing
            .AddSource(RedisSpans.SourceName)
            // Ends with the tracer provider, before it flushes, so that the last commands are exported too.
            .AddInstrumentation(provider => provider.GetRequiredService<RedisSpans>()));
    }

    private static void AddHealthCheck(IServiceCollection services, string connectionName, string? serviceKey)
    {
        var name = serviceKey is null ? HealthCheckName : $"{HealthCheckName}_{connectionName}";
        var registration = new HealthCheckRegistration(
            name,
            provider => new RedisHealthCheck(() => provider.GetRequiredKeyedService<IConnectionMultiplexer>(serviceKey)),
            failureStatus: null,
            tags: null);

        services.AddHealthChecks();
        services.Configure<HealthCheckServiceOptions>(options =>
        {
            // Registering a client twice must not break every health request with "duplicate names".
            if (options.Registrations.All(other => other.Name != name))
            {
                options.Registrations.Add(registration);
            }
        });
    }
}
