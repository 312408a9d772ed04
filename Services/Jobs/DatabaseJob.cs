using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;

namespace Platform.Jobs;

/// <summary>A <see cref="Job"/> on the platform's database: its host, its console, and the exit codes of what can go wrong with a database.</summary>
/// <param name="name">The job's name, for its span and its sentences.</param>
public sealed class DatabaseJob(string name)
{
    /// <summary>Adds the services of the program, the database among them.</summary>
    public required Action<HostApplicationBuilder> Configure { get; init; }

    /// <summary>How long to wait for the database to answer, as the program's settings say.</summary>
    public required Func<IServiceProvider, TimeSpan> DatabaseTimeout { get; init; }

    /// <summary>Whether the console belongs to the result, so that of the log it shows only that the database is waited for. Default: false.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Whether standard output is JSON: the log goes to standard error, and a failure is told as JSON, too. Default: false.</summary>
    public bool IsJson { get; init; }

    /// <summary>The exit code for an exception of the program whose message is a sentence for a person; null for others. Default: null for all.</summary>
    public Func<Exception, int?> ExitCodeOf { get; init; } = _ => null;

    /// <summary>Waits for the database and runs the work.</summary>
    /// <param name="work">The work. Returns the exit code.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>
    /// As for any <see cref="Job"/>; besides <see cref="ExitCodes.Refused"/>, <see cref="ExitCodes.Usage"/>, <see cref="ExitCodes.Busy"/> and
    /// <see cref="ExitCodes.Unavailable"/>.
    /// </returns>
    public Task<int> RunAsync(Func<IServiceProvider, CancellationToken, Task<int>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var job = new Job(name)
        {
            ExitCodeOf = exception => KnownExitCode(exception) ?? ExitCodeOf(exception),
            Failed = IsJson ? (exitCode, error) => Console.Out.WriteLineAsync(JobReport.Json(new { exitCode, error })) : null,
        };
        return job.RunAsync(
            BuildHost,
            async (services, token) =>
            {
                await services.GetRequiredService<DatabaseStartup>().WaitAsync(DatabaseTimeout(services), token);
                return await work(services, token);
            },
            cancellationToken);
    }

    /// <summary>Waits for the database and runs a use case.</summary>
    /// <typeparam name="TUseCase">The use case's class; its constructor takes services of the host.</typeparam>
    /// <param name="run">Runs it. Returns the exit code.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>As the other <c>RunAsync</c>.</returns>
    public Task<int> RunAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TUseCase>(
        Func<TUseCase, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
        where TUseCase : class =>
        RunAsync((services, token) => run(ActivatorUtilities.CreateInstance<TUseCase>(services), token), cancellationToken);

    /// <summary>Gives a command the option <c>--json</c> and lets it print the report of a use case.</summary>
    /// <typeparam name="TUseCase">The use case's class; its constructor takes services of the host.</typeparam>
    /// <typeparam name="TReport">The report.</typeparam>
    /// <param name="command">The command with its own options.</param>
    /// <param name="create">Makes the job, for a report as JSON or not.</param>
    /// <param name="run">Runs the use case.</param>
    /// <param name="print">Prints the report for people.</param>
    /// <param name="isGood">Whether the report says that all is as it should be; null when it always does.</param>
    /// <returns>The command.</returns>
    public static Command Report<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TUseCase, TReport>(
        Command command,
        Func<bool, DatabaseJob> create,
        Func<TUseCase, ParseResult, CancellationToken, Task<TReport>> run,
        Action<TextWriter, TReport> print,
        Func<TReport, bool>? isGood = null)
        where TUseCase : class
    {
        ArgumentNullException.ThrowIfNull(command);
        command.Options.Add(JobCommandLine.Json);
        command.SetAction((result, cancellationToken) =>
        {
            var json = result.GetValue(JobCommandLine.Json);
            return create(json).RunAsync<TUseCase>(
                async (useCase, token) =>
                {
                    var report = await run(useCase, result, token);
                    return JobReport.Print(report, json, print, isGood?.Invoke(report) ?? true);
                },
                cancellationToken);
        });
        return command;
    }

    /// <summary>Builds the host; opens nothing.</summary>
    public IHost BuildHost()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        if (IsJson)
        {
            builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        }

        if (IsQuiet)
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
        Configure(builder);
        return builder.Build();
    }

    // What a person is to be told in a sentence; anything else is a defect or an outage and is logged with its stack.
    private static int? KnownExitCode(Exception exception) => exception switch
    {
        JobRefusedException => ExitCodes.Refused,
        JobUsageException => ExitCodes.Usage,
        LeaseLostException => ExitCodes.Failure,
        LeaseBusyException => ExitCodes.Busy,
        DatabaseUnavailableException => ExitCodes.Unavailable,
        DatabaseRefusedException => ExitCodes.Configuration,
        _ => null,
    };
}
