using System.ComponentModel.DataAnnotations;

namespace Platform.Mongo.Connections;

/// <summary>How units of work are repeated. Configuration section <c>Mongo:Retry</c>.</summary>
public sealed class MongoRetryOptions
{
    /// <summary>Attempts in all; 1 turns repeating off. Above the driver's own single repetition, so few are enough. Default: 4.</summary>
    [Range(1, 100)]
    public int Attempts { get; set; } = 4;

    /// <summary>
    /// Mean pause before the first repetition; it doubles each time and is jittered, so that callers do not come back together. Default: 100 milliseconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest pause; it also bounds how late a restarted server is noticed while a service waits for it. Default: 2 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:05:00")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Time for a unit of work with all its repetitions, after which it is cancelled. Below the 15 s that a request may take. Default: 10 seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:30:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(10);
}
