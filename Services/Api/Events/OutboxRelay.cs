using MongoDB.Driver;
using Platform.Data.Events;
using Platform.Data.Leases;
using Platform.Data.Validation;

namespace Platform.Api.Events;

/// <summary>
/// Delivers the events that were left behind: their process ended, or the database went away, between the commit and the
/// events. One instance of the API at a time does it, under a lease.
/// </summary>
internal sealed class OutboxRelay(EventOutbox outbox, ILeaseStore leases, TimeProvider time, ILogger<OutboxRelay> logger) : BackgroundService
{
    /// <summary>The name of the lease.</summary>
    public const string LeaseName = "outbox";

    private const int Batch = 100;

    /// <summary>How often is looked for what was left behind.</summary>
    public static TimeSpan Interval => TimeSpan.FromSeconds(30);

    /// <summary>
    /// The age from which an entry is left behind. Far more than <see cref="OutboxWriter.Patience"/>, after which nobody else is at it, and
    /// the clocks of two machines may differ.
    /// </summary>
    public static TimeSpan Age => TimeSpan.FromMinutes(1);

    /// <summary>Delivers everything that was left behind by now.</summary>
    /// <returns>How many entries were delivered.</returns>
    public async Task<int> RelayAsync(CancellationToken cancellationToken)
    {
        // No lease is taken for nothing, which is nearly always.
        if ((await LeftAsync(1, cancellationToken)).Count == 0)
        {
            return 0;
        }

        await using var lease = await Lease.AcquireAsync(
            leases, LeaseName, new LeaseOptions { AcquireTimeout = TimeSpan.Zero }, time, logger, cancellationToken: cancellationToken);
        return await lease.RunAsync(RelayAloneAsync, cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RelayAsync(stoppingToken);
            }
            catch (LeaseBusyException)
            {
                // Another instance is at it.
            }
            catch (Exception exception) when (exception is MongoException or TimeoutException or LeaseLostException)
            {
                OutboxLog.NotRelayed(logger, exception.Message);
            }
        }
    }

    private async Task<int> RelayAloneAsync(CancellationToken cancellationToken)
    {
        var delivered = 0;
        IReadOnlyList<OutboxEntry> entries;
        int before;
        do
        {
            entries = await LeftAsync(Batch, cancellationToken);
            before = delivered;
            foreach (var entry in entries)
            {
                try
                {
                    await outbox.DeliverAgainAsync(entry, cancellationToken);
                    delivered++;
                }
                catch (DocumentRefusedException exception)
                {
                    // A defect: it stays for a person to look at, and must not stand in the way of others.
                    OutboxLog.Refused(logger, exception, entry.Id);
                }
            }
        }
        while (entries.Count == Batch && delivered > before);

        OutboxLog.Relayed(logger, delivered);
        return delivered;
    }

    private Task<IReadOnlyList<OutboxEntry>> LeftAsync(int limit, CancellationToken cancellationToken) =>
        outbox.ReadAsync(time.GetUtcNow().UtcDateTime - Age, limit, cancellationToken);
}
