namespace Platform.ServiceDefaults;

/// <summary>Whether Prometheus may ask a service for its metrics. Configuration section <c>Metrics</c>.</summary>
public sealed class ScrapeOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = SettingNames.Metrics;

    /// <summary>The configuration key of <see cref="ScrapeKey"/>.</summary>
    public const string Key = $"{Section}:{nameof(ScrapeKey)}";

    /// <summary>The shortest <see cref="ScrapeKey"/>.</summary>
    public const int MinKeyLength = 16;

    /// <summary>
    /// What whoever asks shows as its bearer token, 16 characters at least. Default: empty, and there is no <c>/metrics</c>: by its paths and counts others
    /// could see what is sold.
    /// </summary>
    public string ScrapeKey { get; set; } = "";
}
