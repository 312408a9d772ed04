using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;

namespace Platform.Mongo.Connections;

/// <summary>
/// Metrics and logs of the traffic with MongoDB, made from the driver's own events; see docs/connections-metrics.md. Spans
/// are the driver's (activity source <c>MongoDB.Driver</c>).
/// </summary>
/// <remarks>
/// Conventions: <see href="https://opentelemetry.io/docs/specs/semconv/database/database-metrics/"/>.
/// </remarks>
public static class MongoTelemetry
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = MongoMetrics.MeterName;

    /// <summary>Registers what <see cref="Observe"/> needs, with the options of section <c>MongoTelemetry</c>.</summary>
    /// <param name="services">The services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddMongoTelemetry(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddMetrics();
        services.AddLogging();
        services.AddOptions<MongoTelemetryOptions>()
            .BindSettings(MongoTelemetryOptions.Section)
            .ValidateLimits(MongoTelemetryOptions.Section);
        services.TryAddSingleton<MongoMetrics>();
        services.TryAddSingleton<MongoObserver>();
        return services;
    }

    /// <summary>Registers a guard, which clients that <see cref="Observe"/> sees have their commands judged by.</summary>
    /// <typeparam name="TGuard">The guard.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddCommandGuard<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TGuard>(
        this IServiceCollection services)
        where TGuard : class, ICommandGuard
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<CommandGuardOptions>().BindSettings(CommandGuardOptions.Section).ValidateOnStart();
        services.TryAddSingleton<ICommandGuard, TGuard>();
        services.TryAddSingleton<CommandGuarding>();
        return services;
    }

    /// <summary>
    /// Has a client that is made with these settings observed. The text of statements in the driver's spans is their shape: the
    /// driver itself would write them with their values.
    /// </summary>
    /// <param name="settings">The settings; an earlier <see cref="MongoClientSettings.ClusterConfigurator"/> is kept.</param>
    /// <param name="services">The services of <see cref="AddMongoTelemetry"/>.</param>
    /// <exception cref="InvalidOperationException">The services were not registered.</exception>
    public static void Observe(MongoClientSettings settings, IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(services);

        var observer = services.GetRequiredService<MongoObserver>();
        var guarding = services.GetService<CommandGuarding>();
        var before = settings.ClusterConfigurator;
        settings.ClusterConfigurator = builder =>
        {
            before?.Invoke(builder);
            observer.Subscribe(builder);
            guarding?.Subscribe(builder);
        };
        if (settings.TracingOptions is { QueryTextMaxLength: > 0 } tracing)
        {
            settings.TracingOptions = new TracingOptions { Disabled = tracing.Disabled };
        }
    }
}
