namespace Platform.Api.Limits;

/// <summary>
/// How many requests are answered before callers are asked to wait. Configuration section <c>RateLimits</c>.
/// </summary>
public sealed class RateLimitOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "RateLimits";

    /// <summary>What one client may send, by who its token names or else by its address. Default: 100 a second, 200 at once.</summary>
    public RateLimit Client { get; } = new() { PerSecond = 100, Burst = 200 };

    /// <summary>What all clients together may ask of one tenant. Default: 500 a second, 1,000 at once.</summary>
    public RateLimit Tenant { get; } = new() { PerSecond = 500, Burst = 1_000 };
}
