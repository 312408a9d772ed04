using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.Data.Tenancy;
using Platform.Jobs;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Commands;

/// <summary>Runs one command in a host and turns what can go wrong into one sentence and an exit code.</summary>
internal static class SeederJob
{
    public static Task<int> RunAsync(Func<SeedSession, CancellationToken, Task<int>> command, CancellationToken cancellationToken) =>
        new Job("seeder") { ExitCodeOf = ExitCodeOf }.RunAsync(
            BuildHost,
            async (services, token) =>
            {
                var session = services.GetRequiredService<SeedSession>();
                await session.WaitForDatabaseAsync(token);
                return await command(session, token);
            },
            cancellationToken);

    internal static IHost BuildHost()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });

        // The console belongs to the progress and the result; the log goes where telemetry goes.
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).ShowOnlyWaits();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("MongoDB", LogLevel.Warning);
        builder.AddServiceDefaults();
        // A job is a few callers: connections kept ready would only cost log-ins.
        builder.AddPlatformData(mongo => mongo.MinPoolSize = 0);

        builder.Services.AddOptions<SeederOptions>()
            .BindConfiguration(SeederOptions.Section)
            .ValidateLimits(SeederOptions.Section);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ILeaseStore>(services => new MongoLeaseStore(services.GetRequiredService<PlatformDatabase>().Database));
        builder.Services.AddSingleton<SeedGuard>();
        builder.Services.AddSingleton<SeedSession>();
        return builder.Build();
    }

    // What a person is to be told in a sentence; anything else is a defect or an outage and is logged with its stack.
    private static int? ExitCodeOf(Exception exception) => exception switch
    {
        JobRefusedException => ExitCodes.Refused,
        JobUsageException => ExitCodes.Usage,
        LeaseLostException => ExitCodes.Failure,
        LeaseBusyException => ExitCodes.Busy,
        DatabaseUnavailableException => ExitCodes.Unavailable,
        _ => null,
    };
}
