namespace Platform.Api.Callers;

/// <summary>Who may call the API, and by which way. Configuration section <c>Api</c>.</summary>
public sealed class ApiOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = SettingNames.Api;

    /// <summary>How callers show who they are.</summary>
    public AuthenticationSettings Authentication { get; } = new();

    /// <summary>
    /// The proxies before the API, as addresses and networks (CIDR) separated by semicolons. What these write into <c>X-Forwarded-For</c> and
    /// <c>X-Forwarded-Proto</c> stands for the client's address and scheme. Default: none.
    /// </summary>
    public string? Proxies { get; set; }

    /// <summary>
    /// The addresses and networks (CIDR), separated by semicolons, from which the API may be called; others get 403. Probes and Prometheus may ask from
    /// anywhere. Default: any.
    /// </summary>
    public string? AllowedAddresses { get; set; }
}
