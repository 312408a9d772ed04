namespace Aspire.Hosting;

/// <summary>How an app host is made.</summary>
public sealed class DistributedApplicationOptions
{
    /// <summary>The command line.</summary>
    public string[]? Args { get; set; }

    /// <summary>The app host's assembly; null: the entry assembly.</summary>
    public string? AssemblyName { get; set; }

    /// <summary>The app host's project directory; null: as recorded in its assembly.</summary>
    public string? ProjectDirectory { get; set; }

    /// <summary>The title of the dashboard; null: the app host's name.</summary>
    public string? DashboardApplicationName { get; set; }

    /// <summary>Run without the dashboard.</summary>
    public bool DisableDashboard { get; set; }

    /// <summary>Also write the resources' console logs to the app host's log.</summary>
    public bool EnableResourceLogging { get; set; }

    /// <summary>Let the dashboard and the resource service use http.</summary>
    public bool AllowUnsecuredTransport { get; set; }
}
