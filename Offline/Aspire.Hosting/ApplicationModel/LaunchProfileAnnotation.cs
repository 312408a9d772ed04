namespace Aspire.Hosting.ApplicationModel;

/// <summary>The launch profile that was asked for.</summary>
/// <param name="launchProfileName">Its name.</param>
public sealed class LaunchProfileAnnotation(string launchProfileName) : IResourceAnnotation
{
    /// <summary>Its name.</summary>
    public string LaunchProfileName { get; } = launchProfileName;
}
