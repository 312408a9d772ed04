using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Platform.Backup.Engines;
using Platform.Backup.Hosting;
using Platform.Jobs;

namespace Platform.Backup.Commands;

/// <summary>Runs one command in a host of its own.</summary>
internal static class BackupJob
{
    /// <summary>What the program is called.</summary>
    public const string Name = "backup";

    /// <summary>Gives a command the option <c>--json</c> and lets it print a report.</summary>
    /// <typeparam name="TReport">The report.</typeparam>
    /// <param name="command">The command with its own options.</param>
    /// <param name="run">Does what it does.</param>
    /// <param name="print">Prints the report for people.</param>
    /// <param name="isGood">Whether the report says that all is as it should be; null when it always does.</param>
    public static Command Report<TReport>(
        Command command,
        Func<IServiceProvider, ParseResult, CancellationToken, Task<TReport>> run,
        Action<TextWriter, TReport> print,
        Func<TReport, bool>? isGood = null)
    {
        command.Options.Add(JobCommandLine.Json);
        command.SetAction((result, cancellationToken) => RunAsync(
            result.GetValue(JobCommandLine.Json),
            async (services, token) =>
            {
                var report = await run(services, result, token);
                return JobReport.Print(report, result.GetValue(JobCommandLine.Json), print, isGood?.Invoke(report) ?? true);
            },
            cancellationToken));
        return command;
    }

    /// <summary>Runs work in a host; standard output belongs to the result.</summary>
    public static Task<int> RunAsync(bool json, Func<IServiceProvider, CancellationToken, Task<int>> work, CancellationToken cancellationToken) =>
        new Job(Name)
        {
            ExitCodeOf = exception => exception switch
            {
                BackupException backup => backup.ExitCode,
                JobUsageException => ExitCodes.Usage,
                _ => null,
            },
            Failed = json ? (exitCode, error) => Console.Out.WriteLineAsync(JobReport.Json(new { exitCode, error })) : null,
        }.RunAsync(BuildHost, work, cancellationToken);

    private static IHost BuildHost()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // The sentence is told already.
        builder.Logging.AddFilter<ConsoleLoggerProvider>(Job.ToldCategory, LogLevel.None);
        builder.Logging.AddFilter<ConsoleLoggerProvider>("Platform.", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("MongoDB", LogLevel.Warning);
        builder.AddServiceDefaults();
        builder.AddBackups();
        // The running database is there for some commands, and not when it is needed most.
        if (!string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(ResourceNames.Database)))
        {
            builder.AddPlatformData(mongo => mongo.MinPoolSize = 0);
        }

        return builder.Build();
    }
}
