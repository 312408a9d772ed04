using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MongoDB.Driver;
using Platform;
using Platform.Data;
using Platform.Data.Connections;
using Platform.Data.Documents;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the platform's database.</summary>
public static class PlatformDataExtensions
{
    /// <summary>
    /// Registers the MongoDB client of <c>ConnectionStrings:platform</c> with its health check and spans, the database that
    /// the connection string names (default <c>platform</c>), and <see cref="PlatformDatabase"/>. Writes are acknowledged by
    /// a majority and reads see only what a majority has, unless the connection string says otherwise.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host builder.</param>
    /// <param name="configureClient">Changes the driver's settings, for instance how long to wait for a server.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder AddPlatformData<TBuilder>(this TBuilder builder, Action<MongoClientSettings>? configureClient = null)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        DocumentConventions.Register();

        builder.Services.AddMongoTelemetry();

        IServiceProvider? provider = null;
        var application = builder.Environment.ApplicationName;
        // Tracing here would be a second span for each command: the service defaults listen to the driver's own.
        builder.AddMongoDBClient(ResourceNames.Database, settings => settings.DisableTracing = true, settings =>
        {
            settings.ApplicationName ??= application;
            if (settings.ReadConcern.IsServerDefault)
            {
                settings.ReadConcern = ReadConcern.Majority;
            }

            if (settings.WriteConcern == WriteConcern.Acknowledged)
            {
                settings.WriteConcern = WriteConcern.WMajority;
            }

            configureClient?.Invoke(settings);
            Platform.Data.Connections.MongoTelemetry.Observe(
                settings, provider ?? throw new InvalidOperationException("The client was made without services."));
        });

        // The integration changes the driver's settings without services, and what observes them comes from there.
        var client = builder.Services.Last(service => service.ServiceType == typeof(IMongoClient) && !service.IsKeyedService);
        builder.Services.Replace(ServiceDescriptor.Singleton(services =>
        {
            provider = services;
            return (IMongoClient)client.ImplementationFactory!(services);
        }));

        // The client registers the database only when the connection string names one.
        builder.Services.TryAddSingleton(services => services.GetRequiredService<IMongoClient>().GetDatabase(ResourceNames.Database));
        builder.Services.TryAddSingleton<PlatformDatabase>();
        return builder;
    }
}
