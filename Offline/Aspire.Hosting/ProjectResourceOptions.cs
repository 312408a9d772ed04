namespace Aspire.Hosting;

/// <summary>How a project becomes a resource.</summary>
public class ProjectResourceOptions
{
    /// <summary>The launch profile; null: chosen by the usual rule.</summary>
    public string? LaunchProfileName { get; set; }

    /// <summary>Use no launch profile.</summary>
    public bool ExcludeLaunchProfile { get; set; }

    /// <summary>Make no endpoints from the project's Kestrel settings. The stand-in never does.</summary>
    public bool ExcludeKestrelEndpoints { get; set; }
}
