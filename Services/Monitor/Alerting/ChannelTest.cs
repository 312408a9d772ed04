using Platform.Monitoring;

namespace Platform.Monitor.Alerting;

/// <summary>How often Alertmanager tried to notify a receiver, and failed.</summary>
internal readonly record struct ReceiverCount(long Tried, long Failed)
{
    /// <summary>How often it succeeded: the server took what was sent.</summary>
    public long Delivered => Tried - Failed;

    /// <summary>What was counted since.</summary>
    public ReceiverCount Since(ReceiverCount before) => new(Tried - before.Tried, Failed - before.Failed);
}

/// <summary>What became of a test.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Delivered">Whether the channel's server took the message.</param>
/// <param name="Attempts">How often it was tried.</param>
internal sealed record ChannelResult(string Channel, bool Delivered, long Attempts);

/// <summary>Sends a marked alert by each channel, and finds by Alertmanager's counters whether it arrived: at the mail server, at the webhook.</summary>
/// <param name="alertmanager">Alertmanager.</param>
/// <param name="time">The clock.</param>
internal sealed class ChannelTest(AlertmanagerClient alertmanager, TimeProvider time)
{
    // After so many attempts that failed, one behind the other, the next ones will fail, too.
    private const int Attempts = 3;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs it.</summary>
    /// <param name="channels">The channels.</param>
    /// <param name="id">What marks the alert.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HttpRequestException">Alertmanager does not answer, or refuses.</exception>
    public async Task<IReadOnlyList<ChannelResult>> RunAsync(
        IReadOnlyList<string> channels, string id, TimeSpan patience, CancellationToken cancellationToken)
    {
        var before = await alertmanager.CountsAsync(cancellationToken);
        var start = time.GetUtcNow();
        await alertmanager.TestAsync(channels, id, start, start + patience + patience, cancellationToken);
        var results = channels.ToDictionary(channel => channel, channel => new ChannelResult(channel, false, 0), StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            var now = await alertmanager.CountsAsync(cancellationToken);
            foreach (var channel in channels.Where(channel => !results[channel].Delivered))
            {
                var receiver = AlertNames.TestReceiver(channel);
                var count = now.GetValueOrDefault(receiver).Since(before.GetValueOrDefault(receiver));
                // Alertmanager counts an attempt a moment before it counts its failure: only what is still so at the next look has succeeded.
                results[channel] = new ChannelResult(channel, count.Delivered > 0 && !seen.Add(channel), count.Tried);
                if (count.Delivered == 0)
                {
                    seen.Remove(channel);
                }
            }

            if (results.Values.All(result => result.Delivered || (result.Attempts >= Attempts && !seen.Contains(result.Channel)))
                || time.GetUtcNow() - start > patience)
            {
                return [.. channels.Select(channel => results[channel])];
            }

            await Task.Delay(s_pause, time, cancellationToken);
        }
    }
}
