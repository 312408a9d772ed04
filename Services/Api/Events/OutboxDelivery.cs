using Platform.Data.Documents;
using Platform.Data.Events;

namespace Platform.Api.Events;

/// <summary>
/// Delivers the events of what this process committed, those of many commits at once: a moment after the first of them, so that nobody's answer waits for
/// them and one write serves all. What is not delivered by this, because the process ends, the database goes away or there is too much of it, stays in the
/// outbox for <see cref="OutboxRelay"/>. Thread-safe.
/// </summary>
/// <param name="outbox">Where the entries are.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Hears what is late.</param>
public sealed class OutboxDelivery(EventOutbox outbox, TimeProvider time, ILogger<OutboxDelivery> logger) : IAsyncDisposable
{
    // As many as fit into a few hundred kilobytes.
    private const int MostAtOnce = 500;

    // Ten seconds' work, and some 10 MB.
    private const int MostWaiting = 10_000;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly List<OutboxEntry> _waiting = [];
    private Task _work = Task.CompletedTask;
    private bool _isWorking;

    /// <summary>For how long entries are gathered before they are delivered: reports may be that late.</summary>
    public static TimeSpan Gathering => TimeSpan.FromMilliseconds(100);

    /// <summary>How long a delivery may take; then what is left of it is late.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(5);

    /// <summary>
    /// The age from which an entry is left to the relay. With <see cref="Patience"/> far less than <see cref="OutboxRelay.Age"/>, from which on the relay may
    /// be at it, and the clocks of two machines may differ.
    /// </summary>
    public static TimeSpan MostAge => TimeSpan.FromSeconds(20);

    /// <summary>Ends when nothing is waiting to be delivered.</summary>
    internal Task Idle
    {
        get
        {
            lock (_lock)
            {
                return _work;
            }
        }
    }

    /// <summary>Takes an entry that was committed.</summary>
    /// <param name="entry">The entry.</param>
    public void Add(OutboxEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        lock (_lock)
        {
            if (_waiting.Count < MostWaiting)
            {
                _waiting.Add(entry);
                if (!_isWorking)
                {
                    _isWorking = true;
                    _work = Task.Run(WorkAsync);
                }

                return;
            }
        }

        OutboxLog.Late(logger, 1, entry.Id, "too many are waiting");
    }

    /// <summary>Delivers what is waiting, without gathering any longer.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Idle;
        _ending.Dispose();
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            // Suppressed: who ends waits for what there is.
            await Task.Delay(Gathering, time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            List<OutboxEntry> together;
            lock (_lock)
            {
                together = _waiting[..Math.Min(MostAtOnce, _waiting.Count)];
                _waiting.RemoveRange(0, together.Count);
            }

            var oldest = time.GetUtcNow().UtcDateTime - MostAge;
            await DeliverAsync([.. together.Where(entry => entry.CreatedAt >= oldest)]);
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _isWorking = false;
                    return;
                }
            }
        }
    }

    // Does not fail: the changes are made, and the entries stay until their events are written.
    private async Task DeliverAsync(IReadOnlyList<OutboxEntry> entries)
    {
        if (entries.Count == 0)
        {
            return;
        }

        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await outbox.DeliverAsync(entries, patience.Token);
        }
#pragma warning disable CA1031 // Whatever went wrong with its events, a change is committed.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            OutboxLog.Late(logger, entries.Count, entries[0].Id, exception.Message);
        }
    }
}
