using System.ComponentModel.DataAnnotations;

namespace Platform.Api.Limits;

/// <summary>How many requests somebody may send: a bucket that holds some and is filled again evenly.</summary>
public sealed class RateLimit
{
    /// <summary>The greatest value of either setting.</summary>
    public const int Most = 1_000_000;

    /// <summary>How many requests a second are allowed in the long run.</summary>
    [Range(1, Most)]
    public int PerSecond { get; set; }

    /// <summary>How many requests are allowed at once after a rest.</summary>
    [Range(1, Most)]
    public int Burst { get; set; }
}
