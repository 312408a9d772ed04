namespace Aspire.StackExchange.Redis;

/// <summary>
/// Settings of a Redis client. Read from the configuration section <c>Aspire:StackExchange:Redis</c>, then from
/// <c>Aspire:StackExchange:Redis:NAME</c>; <c>ConnectionStrings:NAME</c> wins over both.
/// </summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary>The connection string: comma-separated endpoints and options.</summary>
    /// <remarks><see href="https://stackexchange.github.io/StackExchange.Redis/Configuration"/></remarks>
    public string? ConnectionString { get; set; }

    /// <summary>Whether no health check is registered. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether no spans are made for commands. Default: false.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Whether the connection is made at its first use, not when the host starts. Default: true.</summary>
    public bool DisableAutoActivation { get; set; } = true;
}
