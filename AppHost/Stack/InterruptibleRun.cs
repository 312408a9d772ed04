using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.AppHost.Stack;

internal static class InterruptibleRun
{
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    /// <summary>
    /// Builds the graph and runs it to its end. An interruption (Ctrl-C, SIGTERM) that comes while it starts stops what had
    /// started and is no error: by itself the host would print the cancellation of its start as an exception, and
    /// leave everything to the orchestrator's guard.
    /// </summary>
    public static async Task RunAsync(this IDistributedApplicationBuilder builder)
    {
        IHostApplicationLifetime? lifetime = null;
        // Asked at each message: the host's complaint about a start that somebody ended is left out.
        builder.Services.AddLogging(logging => logging.AddFilter(
            HostCategory, level => level >= LogLevel.Information && (lifetime is null || !WasInterrupted(lifetime))));

        await using var app = builder.Build();
        lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        await app.RunAsync();
        if (WasInterrupted(lifetime))
        {
            await Console.Out.WriteLineAsync("Interrupted while starting; what had started is stopped.");
            try
            {
                await app.StopAsync();
            }
            catch (OperationCanceledException)
            {
                // Of a part whose start was canceled; the others are stopped all the same.
            }
        }
    }

    private static bool WasInterrupted(IHostApplicationLifetime lifetime)
        => lifetime.ApplicationStopping.IsCancellationRequested && !lifetime.ApplicationStarted.IsCancellationRequested;
}
