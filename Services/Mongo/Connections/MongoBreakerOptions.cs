using System.ComponentModel.DataAnnotations;

namespace Platform.Mongo.Connections;

/// <summary>When units of work are refused at once because the database is away. Configuration section <c>Mongo:Breaker</c>.</summary>
public sealed class MongoBreakerOptions
{
    /// <summary>Share of the attempts that must fail for want of a server. Half: less is the driver's and the retry's to bridge. Default: 0.5.</summary>
    [Range(0.01, 1.0)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>Attempts within the sampling time below which nothing is concluded. Default: 20.</summary>
    [Range(2, 100_000)]
    public int MinimumThroughput { get; set; } = 20;

    /// <summary>Time over which attempts are counted. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for which units of work are refused before one is let through to try. Short: an election takes seconds. Default: 2 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(2);
}
