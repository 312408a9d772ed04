using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Data.Validation;
using Platform.Jobs;
using Platform.Migrator.Access;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Sharding;
using Platform.Migrator.Structure;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Commands;

/// <summary>Runs one use case in a host of its own.</summary>
internal static class MigratorJob
{
    public const string Name = "migrator";

    public static string Version { get; } =
        typeof(MigratorJob).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The host and the console of a use case.</summary>
    /// <param name="quiet">Whether the console belongs to the report; else what is done is told by the log.</param>
    /// <param name="json">Whether the report is JSON.</param>
    /// <param name="wait">Whether the database, and another migrator, are waited for as long as can be.</param>
    /// <param name="usesMasterKey">Whether it encrypts or decrypts: then the master key has to fit the database.</param>
    public static DatabaseJob Create(bool quiet, bool json, bool wait = false, bool usesMasterKey = true) => new(Name)
    {
        IsQuiet = quiet,
        IsJson = json,
        Configure = builder =>
        {
            Configure(builder);
            if (!usesMasterKey)
            {
                builder.Services.RemoveAll<IDatabaseCheck>();
            }

            if (wait)
            {
                builder.Services.PostConfigure<MigratorOptions>(options => options.DatabaseTimeout = options.LeaseTimeout = LeaseOptions.Longest);
            }
        },
        DatabaseTimeout = services => services.GetRequiredService<IOptions<MigratorOptions>>().Value.DatabaseTimeout,
        ExitCodeOf = exception => exception is StaleFenceException ? ExitCodes.Failure : null,
    };

    /// <summary>Runs a use case.</summary>
    public static Task<int> RunAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TUseCase>(
        bool quiet, bool json, Func<TUseCase, CancellationToken, Task<int>> run, CancellationToken cancellationToken, bool usesMasterKey = false)
        where TUseCase : class =>
        Create(quiet, json, usesMasterKey: usesMasterKey).RunAsync(run, cancellationToken);

    /// <summary>Lets a command print the report of a use case.</summary>
    public static Command Report<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TUseCase, TReport>(
        Command command, Func<TUseCase, ParseResult, CancellationToken, Task<TReport>> run, Action<TextWriter, TReport> print,
        Func<TReport, bool>? isGood = null, bool usesMasterKey = false)
        where TUseCase : class =>
        DatabaseJob.Report(command, json => Create(quiet: true, json, usesMasterKey: usesMasterKey), run, print, isGood);

    private static void Configure(HostApplicationBuilder builder)
    {
        // A job is one caller: connections kept ready would only cost log-ins.
        builder.AddPlatformData(mongo => mongo.MinPoolSize = 0);

        builder.AddFieldEncryption();

        var services = builder.Services;
        services.AddOptions<MigratorOptions>()
            .BindSettings(MigratorOptions.Section)
            .ValidateLimits(MigratorOptions.Section)
            .Validate(
                options => options.MaxDocumentsPerSecond is 0 or >= MigratorOptions.LeastDocumentsPerSecond,
                $"{MigratorOptions.Section}:{nameof(MigratorOptions.MaxDocumentsPerSecond)} must be 0, for no limit, or at least "
                    + $"{MigratorOptions.LeastDocumentsPerSecond.ToString(CultureInfo.InvariantCulture)}.");
        services.AddValidationOptions();
        services.AddOptions<ShardingOptions>().BindSettings(ShardingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ShardingOptions>, ShardingOptionsValidator>();
        services.AddSingleton<ICluster, MongoCluster>();
        services.AddSingleton<AccessServer>();
        services.AddSingleton<ILeaseStore, MongoLeaseStore>();
        services.AddSingleton<IMigrationHistory, MongoMigrationHistory>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<CatalogueSynchroniser>(
            provider, provider.GetRequiredService<IOptions<ValidationOptions>>().Value));
        services.AddSingleton(MigrationCatalogue.FindIn(typeof(MigratorJob).Assembly));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<MigrationRunner>(provider, Version));
        services.AddSingleton(provider => new MigrationEnvironment(
            provider.GetRequiredService<IMongoDatabase>(), provider.GetRequiredService<CatalogueSynchroniser>())
        {
            MaxDocumentsPerSecond = provider.GetRequiredService<IOptions<MigratorOptions>>().Value.MaxDocumentsPerSecond is > 0 and var limit ? limit : null,
            Time = provider.GetRequiredService<TimeProvider>(),
            Encryption = provider.GetRequiredService<ConfiguredEncryption>().Encryption,
            Logger = provider.GetRequiredService<ILoggerFactory>().CreateLogger("Platform.Migrator.Migrations"),
        });
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<MigratorOptions>>().Value;
            return ActivatorUtilities.CreateInstance<SoleWorker>(
                provider, new LeaseOptions { Duration = options.LeaseDuration, AcquireTimeout = options.LeaseTimeout });
        });
    }
}
