using Aspire.MongoDB.Driver;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers MongoDB clients by the name of a connection string.</summary>
public static class AspireMongoDBDriverExtensions
{
    private const string SectionName = "Aspire:MongoDB:Driver";
    private const string HealthCheckName = "MongoDB.Driver";

    /// <summary>
    /// Registers a singleton <see cref="IMongoClient"/>, an <see cref="IMongoDatabase"/> when the connection string names
    /// one, a health check <c>MongoDB.Driver</c> that pings, and the driver's spans. Nothing connects before its first use.
    /// </summary>
    /// <param name="builder">The host builder.</param>
    /// <param name="connectionName">The key below <c>ConnectionStrings</c>.</param>
    /// <param name="configureSettings">Changes the settings after they were read from the configuration.</param>
    /// <param name="configureClientSettings">Changes the driver's settings before the client is made.</param>
    /// <remarks>
    /// Resolving the client throws <see cref="InvalidOperationException"/> when there is no connection string.
    /// </remarks>
    public static void AddMongoDBClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<MongoDBSettings>? configureSettings = null,
        Action<MongoClientSettings>? configureClientSettings = null) =>
        Add(builder, connectionName, serviceKey: null, configureSettings, configureClientSettings);

    /// <summary>
    /// As <see cref="AddMongoDBClient"/>, with the services keyed by <paramref name="name"/> and a health check
    /// <c>MongoDB.Driver_NAME</c>, so that one program can use several servers.
    /// </summary>
    /// <param name="builder">The host builder.</param>
    /// <param name="name">The service key, which is also the key below <c>ConnectionStrings</c>.</param>
    /// <param name="configureSettings">Changes the settings after they were read from the configuration.</param>
    /// <param name="configureClientSettings">Changes the driver's settings before the client is made.</param>
    public static void AddKeyedMongoDBClient(
        this IHostApplicationBuilder builder,
        string name,
        Action<MongoDBSettings>? configureSettings = null,
        Action<MongoClientSettings>? configureClientSettings = null) =>
        Add(builder, name, serviceKey: name, configureSettings, configureClientSettings);

    private static void Add(
        IHostApplicationBuilder builder,
        string connectionName,
        string? serviceKey,
        Action<MongoDBSettings>? configureSettings,
        Action<MongoClientSettings>? configureClientSettings)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var settings = ReadSettings(builder.Configuration, connectionName);
        configureSettings?.Invoke(settings);

        // A null key is the same as no key, so both kinds of registration share one path.
        builder.Services.AddKeyedSingleton<IMongoClient>(
            serviceKey, (services, _) => CreateClient(services, connectionName, settings, configureClientSettings));

        var database = string.IsNullOrWhiteSpace(settings.ConnectionString)
            ? null
            : MongoUrl.Create(settings.ConnectionString).DatabaseName;
        if (!string.IsNullOrWhiteSpace(database))
        {
            builder.Services.AddKeyedSingleton(
                serviceKey, (services, _) => services.GetRequiredKeyedService<IMongoClient>(serviceKey).GetDatabase(database));
        }

        if (!settings.DisableTracing)
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(MongoTelemetry.ActivitySourceName));
        }

        if (!settings.DisableHealthChecks && !string.IsNullOrWhiteSpace(settings.ConnectionString))
        {
            AddHealthCheck(builder, connectionName, serviceKey, settings, database);
        }
    }

    private static MongoDBSettings ReadSettings(IConfiguration configuration, string connectionName)
    {
        var settings = new MongoDBSettings();
        var section = configuration.GetSection(SectionName);
        section.Bind(settings);
        section.GetSection(connectionName).Bind(settings);
        settings.ConnectionString = configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        return settings;
    }

    private static MongoClient CreateClient(
        IServiceProvider services, string connectionName, MongoDBSettings settings, Action<MongoClientSettings>? configure)
    {
        if (string.IsNullOrWhiteSpace(settings.ConnectionString))
        {
            throw new InvalidOperationException(
                $"There is no MongoDB connection string: set ConnectionStrings:{connectionName} or {SectionName}:ConnectionString.");
        }

        var client = MongoClientSettings.FromConnectionString(settings.ConnectionString);
        configure?.Invoke(client);
        client.LoggingSettings ??= new LoggingSettings(services.GetService<ILoggerFactory>());
        return new MongoClient(client);
    }

    private static void AddHealthCheck(
        IHostApplicationBuilder builder, string connectionName, string? serviceKey, MongoDBSettings settings, string? database)
    {
        var name = serviceKey is null ? HealthCheckName : $"{HealthCheckName}_{connectionName}";
        TimeSpan? timeout = settings.HealthCheckTimeout is > 0 and var milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
        var registration = new HealthCheckRegistration(
            name,
            services => new MongoHealthCheck(() => services.GetRequiredKeyedService<IMongoClient>(serviceKey), database),
            failureStatus: null,
            tags: null,
            timeout);

        builder.Services.AddHealthChecks();
        builder.Services.Configure<HealthCheckServiceOptions>(options =>
        {
            // Registering a client twice must not break every health request with "duplicate names".
            if (options.Registrations.All(other => other.Name != name))
            {
                options.Registrations.Add(registration);
            }
        });
    }
}
