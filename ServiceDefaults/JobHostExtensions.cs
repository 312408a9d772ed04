using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Platform.ServiceDefaults;

namespace Microsoft.Extensions.Hosting;

/// <summary>Runs a job: a program that does one thing, says by its exit code whether it worked, and ends.</summary>
public static class JobHostExtensions
{
    // A dead collector must not hold a finished job back for long.
    private const int FlushMilliseconds = 3000;

    private static readonly ActivitySource Jobs = new("Platform.Jobs");

    /// <summary>
    /// Starts the host, runs the work inside a span, sends the telemetry out, stops and disposes the host, and returns the
    /// exit code for <c>Main</c>. (A background service cannot do this: the host exits with 0 although it threw.)
    /// </summary>
    /// <param name="host">The built host.</param>
    /// <param name="name">The job's name, for its span.</param>
    /// <param name="work">The work; its token is cancelled by Ctrl-C and SIGTERM. Returns the exit code.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>
    /// What the work returned; 1 when it threw (one sentence is written to standard error, the exception is logged);
    /// 130 when it was cancelled.
    /// </returns>
    public static async Task<int> RunJobAsync(
        this IHost host,
        string name,
        Func<IServiceProvider, CancellationToken, Task<int>> work,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(work);

        try
        {
            var services = host.Services;
            var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Platform.Jobs");
            int exitCode;
            try
            {
                await host.StartAsync(cancellationToken);
                var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
                exitCode = await RunAsync(name, work, services, logger, stop.Token);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The host did not start: a bad setting, most often.
                JobLog.Failed(logger, exception, name);
                await Console.Error.WriteLineAsync($"{name}: {OneLine(exception)}");
                exitCode = 1;
            }
            catch (OperationCanceledException)
            {
                exitCode = 130;
            }

            services.GetService<TracerProvider>()?.ForceFlush(FlushMilliseconds);
            services.GetService<MeterProvider>()?.ForceFlush(FlushMilliseconds);
            services.GetService<LoggerProvider>()?.ForceFlush(FlushMilliseconds);
            await host.StopAsync(CancellationToken.None);
            return exitCode;
        }
        finally
        {
            if (host is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }
            else
            {
                host.Dispose();
            }
        }
    }

    private static async Task<int> RunAsync(
        string name,
        Func<IServiceProvider, CancellationToken, Task<int>> work,
        IServiceProvider services,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        using var span = Jobs.StartActivity($"job {name}");
        try
        {
            var exitCode = await work(services, cancellationToken);
            span?.SetTag("process.exit.code", exitCode);
            if (exitCode != 0)
            {
                span?.SetStatus(ActivityStatusCode.Error);
            }

            return exitCode;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            JobLog.Cancelled(logger, name);
            span?.SetStatus(ActivityStatusCode.Error, "cancelled");
            return 130;
        }
        catch (Exception exception)
        {
            span?.AddException(exception);
            span?.SetStatus(ActivityStatusCode.Error, exception.Message);
            JobLog.Failed(logger, exception, name);
            await Console.Error.WriteLineAsync($"{name}: {OneLine(exception)}");
            return 1;
        }
    }

    private static string OneLine(Exception exception) => exception.Message.ReplaceLineEndings(" ");
}
