using System.ComponentModel.DataAnnotations;

namespace Platform.Api.Caching;

/// <summary>How long products stay in the cache. Configuration section <c>ProductCache</c>.</summary>
public sealed class ProductCacheOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "ProductCache";

    /// <summary>How long an entry lives, before jitter. Default: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "30.00:00:00")]
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// By which part of <see cref="TimeToLive"/> a life may be longer or shorter, so that entries written together do
    /// not expire together. Default: 0.1.
    /// </summary>
    [Range(0.0, 0.5)]
    public double Jitter { get; set; } = 0.1;

    /// <summary>How long a request waits for Redis before it goes to the database. Default: 250 milliseconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How long Redis is left alone when it fails or stands still, before one request tries it again. Default: 5
    /// seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan Rest { get; set; } = TimeSpan.FromSeconds(5);
}
