using System.ComponentModel.DataAnnotations;

namespace Platform.ServiceDefaults;

/// <summary>Who may ask for a service's health and how long an answer may take. Configuration section <c>Health</c>.</summary>
public sealed class HealthEndpointOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Health";

    /// <summary>
    /// Hosts under which the endpoints exist, as <c>host</c>, <c>host:port</c> or <c>*:port</c> (which binds them to a
    /// management port); any other request gets 404. Default: empty, no restriction.
    /// </summary>
    public IList<string> Hosts { get; } = [];

    /// <summary>Whether only callers on this machine are answered; others get 404. Default: false.</summary>
    public bool LoopbackOnly { get; set; }

    /// <summary>How long all checks together may take before the service counts as unhealthy. Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an answer is given again instead of asking the servers anew. Default: 1 second; zero turns it off.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan CacheDuration { get; set; } = TimeSpan.FromSeconds(1);
}
