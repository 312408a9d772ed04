using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the platform's database.</summary>
public static class PlatformDataExtensions
{
    /// <summary>Registers <see cref="PlatformDatabase"/>, and the way to it by <see cref="PlatformMongoExtensions.AddPlatformMongo"/>.</summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host builder.</param>
    /// <param name="defaults">Defaults of this service; the connection string and the configuration win over them.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="Options.OptionsValidationException">The connection string is not one.</exception>
    public static TBuilder AddPlatformData<TBuilder>(this TBuilder builder, Action<MongoOptions>? defaults = null)
        where TBuilder : IHostApplicationBuilder
    {
        // Before a client reads or writes the first document.
        DocumentConventions.Register();
        builder.AddPlatformMongo(defaults);
        builder.Services.TryAddSingleton<PlatformDatabase>();
        return builder;
    }

    /// <summary>
    /// Registers <see cref="ConfiguredEncryption"/> of the section <c>Encryption</c>. What it says stops a start when it cannot be, or does not fit the
    /// database.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host builder.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder AddFieldEncryption<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddOptions<EncryptionOptions>().BindSettings(EncryptionOptions.Section).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EncryptionOptions>, EncryptionOptions.Validator>());
        builder.Services.TryAddSingleton<ConfiguredEncryption>();
        builder.Services.AddSingleton<IDatabaseCheck, EncryptionCheck>();
        return builder;
    }

    /// <summary>Has all documents of this process read and written with what its settings say.</summary>
    /// <param name="host">The host.</param>
    public static void UseFieldEncryption(this IHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        EncryptedDocuments.UseInProcess(host.Services.GetRequiredService<ConfiguredEncryption>().Encryption);
    }

    /// <summary>
    /// Registers the guard of a program that serves tenants: commands that a sharded cluster would send to all shards are refused or counted, as section
    /// <c>MongoGuard</c> says.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host builder.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder AddTargetingGuard<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddCommandGuard<TargetingGuard>();
        return builder;
    }
}
