using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;
using Platform;
using Platform.Mongo.Connections;
using MongoTelemetry = Platform.Mongo.Connections.MongoTelemetry;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the way to MongoDB.</summary>
public static partial class PlatformMongoExtensions
{
    /// <summary>
    /// Registers the MongoDB client of <c>ConnectionStrings:platform</c>, connected as <see cref="MongoOptions"/> say; the
    /// database that the connection string names (default <c>platform</c>); and what stands around them:
    /// <see cref="MongoResilience"/>, <see cref="ConcurrencyGate"/>, <see cref="DatabaseStartup"/> and the readiness check
    /// <c>mongodb</c>. A wrong option stops the start.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host builder.</param>
    /// <param name="defaults">Defaults of this service; the connection string and the configuration win over them.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="OptionsValidationException">The connection string is not one.</exception>
    public static TBuilder AddPlatformMongo<TBuilder>(this TBuilder builder, Action<MongoOptions>? defaults = null)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);

        string? connectionString = null;
        try
        {
            builder.AddMongoDBClient(ResourceNames.Database, settings =>
            {
                // Tracing here would be a second span for each command: the service defaults listen to the driver's own.
                settings.DisableTracing = true;
                settings.DisableHealthChecks = true;
                connectionString = settings.ConnectionString;
            });
        }
        catch (MongoConfigurationException exception)
        {
            throw Wrong($"ConnectionStrings:{ResourceNames.Database} is not a MongoDB connection string: {WithoutCredentials(exception.Message)}"
                + " Characters such as @, :, / and % in a user name or password are written percent-encoded.");
        }

        // The integration changes the driver's settings without services, and these need some: the later registration wins.
        builder.Services.AddSingleton<IMongoClient>(services => CreateClient(services, connectionString));
        // The integration registers the database only when the connection string names one.
        builder.Services.TryAddSingleton(services => services.GetRequiredService<IMongoClient>().GetDatabase(ResourceNames.Database));

        builder.Services.AddOptions<MongoOptions>()
            .Configure(options =>
            {
                options.ApplicationName = builder.Environment.ApplicationName;
                defaults?.Invoke(options);
                if (!string.IsNullOrWhiteSpace(connectionString))
                {
                    options.ReadFrom(connectionString);
                }
            })
            .BindSettings(MongoOptions.Section)
            .Validate(_ => !string.IsNullOrWhiteSpace(connectionString), NoConnectionString)
            .ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MongoOptions>, MongoOptionsValidator>());

        MongoTelemetry.AddMongoTelemetry(builder.Services);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<ConnectionMetrics>();
        builder.Services.TryAddSingleton<IMongoProbe, MongoProbe>();
        builder.Services.TryAddSingleton<DatabaseStartup>();
        builder.Services.TryAddSingleton(services => new ConcurrencyGate(
            services.GetRequiredService<IOptions<MongoOptions>>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ConnectionMetrics>(),
            services.GetRequiredService<MongoMetrics>()));
        builder.Services.TryAddSingleton(services => new MongoResilience(
            services.GetRequiredService<IOptions<MongoOptions>>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ConcurrencyGate>(),
            services.GetRequiredService<ConnectionMetrics>(),
            services.GetRequiredService<ILogger<MongoResilience>>()));
        builder.Services.AddHealthChecks().AddCheck<MongoHealthCheck>(MongoHealthCheck.Name, HealthStatus.Unhealthy);
        return builder;
    }

    private static string NoConnectionString => $"There is no MongoDB connection string: set ConnectionStrings:{ResourceNames.Database}.";

    // The driver repeats the string and hides what it takes for the password, which ends too early where an @ is not encoded. Up to
    // the last @ of the message everything may belong to it.
    private static string WithoutCredentials(string message) => Credentials().Replace(message, "://***@");

    [GeneratedRegex("://.*@", RegexOptions.Singleline)]
    private static partial Regex Credentials();

    private static MongoClient CreateClient(IServiceProvider services, string? connectionString)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw Wrong(NoConnectionString);
        }

        var settings = MongoClientSettings.FromConnectionString(connectionString);
        var options = services.GetRequiredService<IOptions<MongoOptions>>().Value;
        options.ApplyTo(settings);
        if (options.TlsCaFile.Length > 0)
        {
            var authority = TrustedAuthority.FromFile(options.TlsCaFile);
            settings.Trust(authority);
            services.GetRequiredService<MongoMetrics>().Authority = authority;
        }

        settings.LogInBy(options.PasswordFile);
        MongoTelemetry.Observe(settings, services);
        settings.LoggingSettings ??= new LoggingSettings(services.GetService<ILoggerFactory>());
        return new MongoClient(settings);
    }

    private static OptionsValidationException Wrong(string sentence) => new(ResourceNames.Database, typeof(MongoOptions), [sentence]);
}
