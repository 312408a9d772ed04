namespace Aspire.Hosting;

/// <summary>The content of a launchSettings.json.</summary>
public sealed class LaunchSettings
{
    /// <summary>The profiles by name.</summary>
#pragma warning disable CA2227 // official: settable
    public Dictionary<string, LaunchProfile> Profiles { get; set; } = [];
#pragma warning restore CA2227
}
