using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Caching;
using Platform.Mongo.Connections;
using Platform.Data.Events;
using Platform.Mongo.Leases;

namespace Platform.Api.Events;

/// <summary>
/// Delivers the events that were left behind: their process ended, or the database went away, between the commit and
/// the events. It looks when an entry that it heard of is due; where nobody tells it of entries, from time to time. One
/// instance of the API at a time does it, under a lease. An entry that cannot be delivered fails alone: it is tried
/// again after growing pauses, in the end set aside, and meanwhile passed over.
/// </summary>
internal sealed class OutboxRelay(
    EventOutbox outbox, DataCaches caches, ILeaseStore leases, OutboxMetrics metrics, TimeProvider time,
    ILogger<OutboxRelay> logger) : BackgroundService
{
    /// <summary>The name of the lease.</summary>
    public const string LeaseName = "outbox";

    /// <summary>After how many attempts an entry is set aside: those take four hours.</summary>
    public const int MaxAttempts = 10;

    // Per tenant and round, so that none waits for all of another's.
    private const int Batch = 20;

    // Below it several entries are looked for at once.
    private static readonly TimeSpan s_grain = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_maxPause = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private DateTime? _due = DateTime.MinValue;
    private bool _follows;
    private TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How often is looked for what was left behind while nobody tells of it.</summary>
    public static TimeSpan Interval => TimeSpan.FromSeconds(30);

    /// <summary>
    /// The age from which an entry is left behind. Far more than <see cref="OutboxDelivery.MostAge"/> and
    /// <see cref="OutboxDelivery.Patience"/>, after which nobody else is at it, and the clocks of two machines may differ.
    /// </summary>
    public static TimeSpan Age => TimeSpan.FromMinutes(1);

    /// <summary>From now on every entry is told of by <see cref="Hear"/>.</summary>
    /// <param name="missed">Whether there may be entries that were not.</param>
    public void Follow(bool missed) => Change(() =>
    {
        _follows = true;
        _due = missed ? DateTime.MinValue : _due;
    });

    /// <summary>An entry was written or changed. It is due later, unless it is delivered and gone by then, as nearly all are.</summary>
    /// <param name="entry">Its members <c>createdAt</c> and <c>delivery</c>.</param>
    public void Hear(BsonDocument entry)
    {
        if (EventOutbox.DueOf(entry, Age) is not { } due)
        {
            return;
        }

        Change(() => _due = _due < due ? _due : due);
    }

    /// <summary>Nobody tells of entries any more.</summary>
    public void LookForItself() => Change(() => _follows = false);

    /// <summary>Delivers what was left behind by now and whose turn has come.</summary>
    /// <returns>How many entries were delivered.</returns>
    public async Task<int> RelayAsync(CancellationToken cancellationToken)
    {
        // No lease is taken for nothing, which is nearly always.
        var now = time.GetUtcNow().UtcDateTime;
        if ((await outbox.TenantsAsync(now - Age, now, cancellationToken)).Count == 0)
        {
            return 0;
        }

        await using var lease = await Lease.AcquireAsync(
            leases, LeaseName, new LeaseOptions { AcquireTimeout = TimeSpan.Zero }, time, logger,
            cancellationToken: cancellationToken);
        return await lease.RunAsync(token => RelayAloneAsync(lease.Fence, now, token), cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await UntilDueAsync(stoppingToken);
            // When this round fails, the next one is when it would be if nobody told of entries.
            DateTime? next = time.GetUtcNow().UtcDateTime + Interval;
            try
            {
                await RelayAsync(stoppingToken);
                next = await outbox.NextDueAsync(Age, stoppingToken);
            }
            catch (LeaseBusyException)
            {
                // Another instance is at it.
            }
            catch (Exception exception) when (exception is MongoException or TimeoutException or LeaseLostException)
            {
                OutboxLog.NotRelayed(logger, exception.Message);
            }
#pragma warning disable CA1031 // The process serves requests: it does not end for what is done beside them.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                OutboxLog.Broken(logger, exception);
            }

            Change(() => _due = _due is { } heard && !(next < heard) ? heard : next);
        }
    }

    /// <summary>The pause after an attempt: from one minute on twice as long each time, up to an hour.</summary>
    /// <param name="attempt">The attempt, from 1.</param>
    internal static TimeSpan PauseAfter(int attempt) =>
        s_firstPause * Math.Min(s_maxPause / s_firstPause, Math.Pow(2, attempt - 1));

    /// <summary>Waits until an entry is due, or, while nobody tells of entries, for a while.</summary>
    private async Task UntilDueAsync(CancellationToken cancellationToken)
    {
        var begun = time.GetUtcNow();
        while (true)
        {
            Task heard;
            TimeSpan wait;
            lock (_gate)
            {
                var passed = time.GetUtcNow() - begun;
                wait = _follows
                    ? _due is { } due ? due - time.GetUtcNow().UtcDateTime : Timeout.InfiniteTimeSpan
                    : Interval - passed;
                // What failed, or cannot be reached, is not tried again at once.
                wait = wait != Timeout.InfiniteTimeSpan && wait < s_grain - passed ? s_grain - passed : wait;
                if (wait != Timeout.InfiniteTimeSpan && wait <= TimeSpan.Zero)
                {
                    _due = null;
                    return;
                }

                heard = _heard.Task;
            }

            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task passes = Task.WhenAny(heard, Task.Delay(wait, time, ended.Token));
            await passes;
            await ended.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource heard;
        lock (_gate)
        {
            change();
            heard = _heard;
            _heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        heard.SetResult();
    }

    private async Task<int> RelayAloneAsync(long fence, DateTime now, CancellationToken cancellationToken)
    {
        var delivered = 0;
        bool any;
        do
        {
            // Tenant by tenant, round after round. Every attempt takes its entry out of the next round, so the rounds
            // end.
            any = false;
            foreach (var tenant in await outbox.TenantsAsync(now - Age, now, cancellationToken))
            {
                foreach (var left in await outbox.ReadAsync(tenant, now - Age, now, Batch, cancellationToken))
                {
                    Lease.RequireHeld();
                    var attempt = left.Attempts + 1;
                    if (!await outbox.ClaimAsync(left, fence, now + PauseAfter(attempt), cancellationToken))
                    {
                        continue;
                    }

                    any = true;
                    delivered += await TryDeliverAsync(left, attempt, fence, now, cancellationToken) ? 1 : 0;
                }
            }
        }
        while (any);

        OutboxLog.Relayed(logger, delivered);
        return delivered;
    }

    private async Task<bool> TryDeliverAsync(
        OutboxLeft left, int attempt, long fence, DateTime now, CancellationToken cancellationToken)
    {
        try
        {
            if (left.Entry is not { } entry)
            {
                throw left.Unreadable!;
            }

            // Who committed it may have ended before the cache was told, or before the commit was carried out.
            await caches.InvalidateAsync(OutboxWriter.NamesOf(entry.TenantId, entry.Stock.Select(change => change.ProductId)));
            await outbox.DeliverAgainAsync(entry, fence, cancellationToken);
            metrics.Delivered.Add(1);
            return true;
        }
#pragma warning disable CA1031 // Whatever is wrong with one entry, the others are none the worse for it.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested
            && !MongoErrors.IsTransient(exception) && !MongoErrors.IsAway(exception))
#pragma warning restore CA1031
        {
            var last = attempt >= MaxAttempts;
            metrics.Failed.Add(1);
            await outbox.FailAsync(left, fence, exception.Message, last ? now : null, cancellationToken);
            if (last)
            {
                metrics.SetAside.Add(1);
                OutboxLog.SetAside(logger, exception, left.Id.ToString()!, attempt);
            }
            else
            {
                OutboxLog.Failed(logger, left.Id.ToString()!, attempt, now + PauseAfter(attempt), exception.Message);
            }

            return false;
        }
    }
}
