using System.ComponentModel.DataAnnotations;

namespace Platform.Mongo.Connections;

/// <summary>How many requests use the database at once. Configuration section <c>Mongo:Gate</c>.</summary>
public sealed class MongoGateOptions
{
    /// <summary>Requests let in at once; 0 means as many as the pool has connections, so that a request that is let in soon gets one. Default: 0.</summary>
    [Range(0, 100_000)]
    public int Permits { get; set; }

    /// <summary>
    /// Requests that may wait to be let in. What comes above that is turned away at once: a longer queue only makes answers late. Default: 200.
    /// </summary>
    [Range(0, 1_000_000)]
    public int QueueLength { get; set; } = 200;

    /// <summary>How long a request may wait. Above that its caller is better served by an answer that says when to come again. Default: 1 second.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a request waits for a connection that is open before it may have one opened; 0 does not wait. Longer than a spike that the open ones can serve,
    /// so that nobody waits for the opening of one that is not needed. Default: 100 milliseconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan GrowAfter { get; set; } = TimeSpan.FromMilliseconds(100);
}
