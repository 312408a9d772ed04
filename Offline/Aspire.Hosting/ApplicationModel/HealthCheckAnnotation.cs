namespace Aspire.Hosting.ApplicationModel;

/// <summary>Names a registered health check that tells whether the resource is healthy.</summary>
/// <param name="key">The name of the check's registration.</param>
public class HealthCheckAnnotation(string key) : IResourceAnnotation
{
    /// <summary>The name of the check's registration.</summary>
    public string Key { get; } = key;
}
