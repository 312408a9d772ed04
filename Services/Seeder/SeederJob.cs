using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Data;
using Platform.Data.Connections;
using Platform.Data.Leases;

namespace Platform.Seeder;

/// <summary>Runs one command in a host and turns what can go wrong into one sentence and an exit code.</summary>
internal static class SeederJob
{
    private const string Name = "seeder";

    public static async Task<int> RunAsync(Func<SeedSession, CancellationToken, Task<int>> command, CancellationToken cancellationToken)
    {
        IHost host;
        try
        {
            host = BuildHost();
            host.Services.GetRequiredService<IStartupValidator>().Validate();
            if (string.IsNullOrWhiteSpace(host.Services.GetRequiredService<Microsoft.Extensions.Configuration.IConfiguration>()[$"ConnectionStrings:{ResourceNames.Database}"]))
            {
                await Console.Error.WriteLineAsync($"{Name}: There is no MongoDB connection string: set ConnectionStrings:{ResourceNames.Database}, or use './platform seeder' beside a running stack.");
                return ExitCodes.Configuration;
            }
        }
        catch (MongoConfigurationException exception)
        {
            await Console.Error.WriteLineAsync($"{Name}: ConnectionStrings:{ResourceNames.Database} is not a MongoDB connection string: {exception.Message}");
            return ExitCodes.Configuration;
        }
        catch (OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"{Name}: {string.Join(" ", exception.Failures)}");
            return ExitCodes.Configuration;
        }

        return await host.RunJobAsync(Name, (services, token) => RunCommandAsync(services, command, token), cancellationToken);
    }

    private static IHost BuildHost()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });

        // The console belongs to the progress and the result; the log goes where telemetry goes. But a person who waits for
        // a database is told so.
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.AddFilter<ConsoleLoggerProvider>(null, LogLevel.None);
        builder.Logging.AddFilter<ConsoleLoggerProvider>(typeof(DatabaseStartup).FullName, LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("MongoDB", LogLevel.Warning);
        builder.AddServiceDefaults();
        // A job is a few callers: connections kept ready would only cost log-ins.
        builder.AddPlatformData(mongo => mongo.MinPoolSize = 0);

        builder.Services.AddOptions<SeederOptions>()
            .BindConfiguration(SeederOptions.Section)
            .Validate(options => options.DatabaseTimeout >= TimeSpan.Zero, $"{SeederOptions.Section}:{nameof(SeederOptions.DatabaseTimeout)} must not be negative.")
            .Validate(options => options.Writers is >= 1 and <= 64, $"{SeederOptions.Section}:{nameof(SeederOptions.Writers)} must be between 1 and 64.")
            .ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ILeaseStore>(services => new MongoLeaseStore(services.GetRequiredService<PlatformDatabase>().Database));
        builder.Services.AddSingleton<SeedGuard>();
        builder.Services.AddSingleton<SeedSession>();
        return builder.Build();
    }

    private static async Task<int> RunCommandAsync(
        IServiceProvider services, Func<SeedSession, CancellationToken, Task<int>> command, CancellationToken cancellationToken)
    {
        try
        {
            var session = services.GetRequiredService<SeedSession>();
            await session.WaitForDatabaseAsync(cancellationToken);
            return await command(session, cancellationToken);
        }
        catch (Exception exception) when (ExitCodeOf(exception) is { } exitCode)
        {
            SeedLog.Refused(services.GetRequiredService<ILogger<SeedSession>>(), exception.Message);
            await Console.Error.WriteLineAsync($"{Name}: {exception.Message}");
            return exitCode;
        }
    }

    // What a person is to be told in a sentence; anything else is a defect or an outage and is logged with its stack.
    private static int? ExitCodeOf(Exception exception) => exception switch
    {
        SeedRefusedException => ExitCodes.Refused,
        SeedUsageException => ExitCodes.Usage,
        LeaseLostException => ExitCodes.Failure,
        LeaseBusyException => ExitCodes.Busy,
        DatabaseUnavailableException => ExitCodes.Unavailable,
        _ => null,
    };
}
