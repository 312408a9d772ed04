namespace Aspire.Hosting.ApplicationModel;

/// <summary>How long a container lives.</summary>
public enum ContainerLifetime
{
    /// <summary>As long as the app host.</summary>
    Session = 0,

    /// <summary>Longer than the app host.</summary>
    Persistent = 1,
}
