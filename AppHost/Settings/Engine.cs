namespace Platform.AppHost.Settings;

/// <summary>Where the MongoDB and Redis servers come from; see docs/engines.md.</summary>
internal enum Engine
{
    /// <summary>Container images, run by Docker or Podman.</summary>
    Containers,

    /// <summary>Local processes without a container runtime.</summary>
    Native,

    /// <summary>Servers that already run; their connection strings are given.</summary>
    External,
}
