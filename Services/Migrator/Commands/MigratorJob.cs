using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Commands;

/// <summary>Runs one command in a host and turns what can go wrong into one sentence and an exit code.</summary>
internal static class MigratorJob
{
    public static string Version { get; } =
        typeof(MigratorJob).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static Task<int> RunAsync(
        string name, bool quiet, Func<MigratorSession, CancellationToken, Task<int>> command, CancellationToken cancellationToken, bool json = false) =>
        new Job(name)
        {
            ExitCodeOf = ExitCodeOf,
            Failed = json ? (exitCode, sentence) => Console.Out.WriteLineAsync(ReportText.Json(new ErrorReport(exitCode, sentence))) : null,
        }.RunAsync(
            () => BuildHost(quiet, json),
            async (services, token) =>
            {
                var session = services.GetRequiredService<MigratorSession>();
                await session.WaitForDatabaseAsync(token);
                return await command(session, token);
            },
            cancellationToken);

    // With JSON on standard output, what is logged goes to standard error.
    internal static IHost BuildHost(bool quiet, bool json)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        if (json)
        {
            builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        }

        if (quiet)
        {
            builder.Logging.ShowOnlyWaits();
        }
        else
        {
            builder.Logging.AddFilter<ConsoleLoggerProvider>("Platform.Mongo.Connections", LogLevel.Warning);
        }

        // The sentence is told already; the server and the connections to it are of interest when something is wrong.
        builder.Logging.AddFilter<ConsoleLoggerProvider>(Job.ToldCategory, LogLevel.None);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("MongoDB", LogLevel.Warning);
        builder.AddServiceDefaults();
        // A job is one caller: connections kept ready would only cost log-ins.
        builder.AddPlatformData(mongo => mongo.MinPoolSize = 0);

        builder.Services.AddOptions<MigratorOptions>()
            .BindConfiguration(MigratorOptions.Section)
            .ValidateLimits(MigratorOptions.Section)
            .Validate(
                options => options.MaxDocumentsPerSecond is 0 or >= MigratorOptions.LeastDocumentsPerSecond,
                $"{MigratorOptions.Section}:{nameof(MigratorOptions.MaxDocumentsPerSecond)} must be 0, for no limit, or at least {MigratorOptions.LeastDocumentsPerSecond.ToString(CultureInfo.InvariantCulture)}.");
        builder.Services.AddValidationOptions();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ILeaseStore>(services => new MongoLeaseStore(services.GetRequiredService<PlatformDatabase>().Database));
        builder.Services.AddSingleton<IMigrationHistory>(services => new MongoMigrationHistory(services.GetRequiredService<PlatformDatabase>().Database));
        builder.Services.AddSingleton(services => new CatalogueSynchroniser(
            services.GetRequiredService<PlatformDatabase>().Database,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<CatalogueSynchroniser>>(),
            services.GetRequiredService<IOptions<ValidationOptions>>().Value));
        builder.Services.AddSingleton(MigrationCatalogue.FindIn(typeof(MigratorJob).Assembly));
        builder.Services.AddSingleton(services => new MigrationRunner(
            services.GetRequiredService<IReadOnlyList<MigrationDescriptor>>(),
            services.GetRequiredService<IMigrationHistory>(),
            Version,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<MigrationRunner>>()));
        builder.Services.AddSingleton<IndexSession>();
        builder.Services.AddSingleton<MigratorSession>();
        return builder.Build();
    }

    // What a person is to be told in a sentence; anything else is a defect or an outage and is logged with its stack.
    private static int? ExitCodeOf(Exception exception) => exception switch
    {
        JobRefusedException => ExitCodes.Refused,
        StaleFenceException or LeaseLostException => ExitCodes.Failure,
        LeaseBusyException => ExitCodes.Busy,
        DatabaseUnavailableException => ExitCodes.Unavailable,
        _ => null,
    };
}
