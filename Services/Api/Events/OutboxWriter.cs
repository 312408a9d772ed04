using Platform.Data.Events;

namespace Platform.Api.Events;

/// <summary>Delivers the events of a change right after its commit. What it cannot deliver <see cref="OutboxRelay"/> does.</summary>
public sealed class OutboxWriter(EventOutbox outbox, ILogger<OutboxWriter> logger)
{
    /// <summary>How long the answer to a request, whose change is committed by then, waits for the events.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(2);

    /// <summary>Writes the events of an entry. Does not fail: the change is made, and the entry stays until its events are written.</summary>
    /// <param name="entry">The entry, committed.</param>
    public async Task DeliverAsync(OutboxEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        // Not the request's token: a caller who goes away does not take the change back.
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await outbox.DeliverAsync(entry, patience.Token);
        }
#pragma warning disable CA1031 // Whatever went wrong with its events, the change is committed and its answer is "done".
        catch (Exception exception)
#pragma warning restore CA1031
        {
            OutboxLog.Late(logger, entry.Id, exception.Message);
        }
    }
}
