using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Platform.Jobs;

/// <summary>
/// A program that does one thing, says by its <see cref="ExitCodes">exit code</see> whether it worked, and ends. (A background
/// service cannot do this: the host exits with 0 although it threw.)
/// </summary>
/// <param name="name">The job's name, for its span and its sentences.</param>
public sealed partial class Job(string name)
{
    /// <summary>
    /// The category of the log in which a failure that a person was told in a sentence is written down. The sentence is on
    /// standard error already, so a console that the same person reads may leave the category out.
    /// </summary>
    public const string ToldCategory = "Platform.Jobs.Told";

    // A dead collector must not hold a finished job back for long.
    private const int FlushMilliseconds = 3000;

    private static readonly ActivitySource s_activities = new("Platform.Jobs");

    /// <summary>
    /// The exit code for an exception whose message is a sentence for a person; null for anything else, which is a defect or
    /// an outage, is logged with its stack and ends the job with 1. Default: null for all.
    /// </summary>
    public Func<Exception, int?> ExitCodeOf { get; init; } = _ => null;

    /// <summary>Is called with the exit code and the sentence after the job failed and the sentence was written to standard error.</summary>
    public Func<int, string, Task>? Failed { get; init; }

    /// <summary>
    /// Builds the host, checks its settings, starts it, runs the work inside a span, sends the telemetry out, stops and disposes
    /// the host, and returns the exit code for <c>Main</c>.
    /// </summary>
    /// <param name="build">Builds the host.</param>
    /// <param name="work">The work; its token is cancelled by Ctrl-C and SIGTERM. Returns the exit code.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>
    /// What the work returned; <see cref="ExitCodes.Configuration"/> when a setting is wrong; what <see cref="ExitCodeOf"/> says,
    /// or 1, when it threw; <see cref="ExitCodes.Cancelled"/> when it was cancelled. Whatever failed is told in one sentence on
    /// standard error.
    /// </returns>
    public async Task<int> RunAsync(
        Func<IHost> build, Func<IServiceProvider, CancellationToken, Task<int>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(build);
        ArgumentNullException.ThrowIfNull(work);
        IHost? host = null;
        try
        {
            host = build();
            host.CheckSettings();
            var exitCode = await RunAsync(host, work, cancellationToken);
            host.Services.GetService<TracerProvider>()?.ForceFlush(FlushMilliseconds);
            host.Services.GetService<MeterProvider>()?.ForceFlush(FlushMilliseconds);
            host.Services.GetService<LoggerProvider>()?.ForceFlush(FlushMilliseconds);
            await host.StopAsync(CancellationToken.None);
            return exitCode;
        }
        catch (OptionsValidationException exception)
        {
            return await TellAsync(ExitCodes.Configuration, exception.Sentence());
        }
        finally
        {
            if (host is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }
            else
            {
                host?.Dispose();
            }
        }
    }

    private async Task<int> RunAsync(IHost host, Func<IServiceProvider, CancellationToken, Task<int>> work, CancellationToken cancellationToken)
    {
        var loggers = host.Services.GetRequiredService<ILoggerFactory>();
        Activity? span = null;
        try
        {
            await host.StartAsync(cancellationToken);
            var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
            span = s_activities.StartActivity($"job {name}");
            try
            {
                var exitCode = await work(host.Services, stop.Token);
                span?.SetTag("process.exit.code", exitCode);
                if (exitCode != ExitCodes.Success)
                {
                    span?.SetStatus(ActivityStatusCode.Error);
                }

                return exitCode;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                LogCancelled(loggers.CreateLogger("Platform.Jobs"), name);
                span?.SetStatus(ActivityStatusCode.Error, "cancelled");
                return ExitCodes.Cancelled;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Cancelled;
        }
        catch (Exception exception) when (exception is not OptionsValidationException)
        {
            var known = ExitCodeOf(exception);
            span?.AddException(exception);
            span?.SetStatus(ActivityStatusCode.Error, exception.Message);
            span?.SetTag("process.exit.code", known ?? ExitCodes.Failure);
            if (known is null)
            {
                LogFailed(loggers.CreateLogger("Platform.Jobs"), exception, name);
            }
            else
            {
                LogTold(loggers.CreateLogger(ToldCategory), name, exception.Message);
            }

            return await TellAsync(known ?? ExitCodes.Failure, exception.Message.ReplaceLineEndings(" "));
        }
        finally
        {
            span?.Dispose();
        }
    }

    private async Task<int> TellAsync(int exitCode, string sentence)
    {
        await Console.Error.WriteLineAsync($"{name}: {sentence}");
        if (Failed is not null)
        {
            await Failed(exitCode, sentence);
        }

        return exitCode;
    }

    [LoggerMessage(1, LogLevel.Error, "Job {Job} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string job);

    [LoggerMessage(2, LogLevel.Warning, "Job {Job} was cancelled")]
    private static partial void LogCancelled(ILogger logger, string job);

    [LoggerMessage(3, LogLevel.Error, "Job {Job} failed: {Sentence}")]
    private static partial void LogTold(ILogger logger, string job, string sentence);
}
