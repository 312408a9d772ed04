using Microsoft.Extensions.Options;
using Platform.Gateway.Authentication;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Cursors;
using Platform.Gateway.Sessions;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway;

/// <summary>Ends what clients left behind: messages begun, overdue transactions, idle cursors and sessions, old records of retryable writes.</summary>
internal sealed partial class Sweeper(
    ClientRegistry clients,
    SessionStore sessions,
    UserWatch users,
    CursorStore cursors,
    BackendPool pool,
    MemberState state,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<Sweeper> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_purgeInterval = TimeSpan.FromMinutes(1);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        var purged = time.GetUtcNow();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                clients.EndStalled();
                try
                {
                    await sessions.SweepAsync(stoppingToken);
                    await cursors.SweepAsync(stoppingToken);
                    await users.LookAsync(stoppingToken);
                    if (time.GetUtcNow() - purged > s_purgeInterval && state.IsServing)
                    {
                        purged = time.GetUtcNow();
                        await pool.TrimAsync();
                        await PurgeAsync(stoppingToken);
                    }
                }
#pragma warning disable CA1031 // The gateway does not end for its clean-up's sake.
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    // Mostly the backend is away or busy; the next round does what this one could not.
                    LogSweepFailed(e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async ValueTask PurgeAsync(CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(cancellationToken);
        if (!state.IsPrimary)
        {
            // The backend's own worker that does this runs where writes are taken.
            await lease.Connection.RunAsync(Statements.CleanCursorDirectory, cancellationToken);
            return;
        }

        await lease.Connection.Command(Statements.PurgeRetryRecords)
            .With(0, options.Value.RetryRecordRetention.TotalSeconds)
            .RunAsync(cancellationToken);
        await lease.Connection.Command(Statements.PurgeCollectionOptions).RunAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "A round of clean-up failed: {Reason}")]
    private partial void LogSweepFailed(string reason);
}
