namespace Platform.AppHost.Settings;

/// <summary>Where the MongoDB and Redis servers come from; see docs/engines.md.</summary>
internal enum Engine
{
    /// <summary>Container images, run by Docker or Podman.</summary>
    Containers,

    /// <summary>The mongod of this machine, and Redis from the server image.</summary>
    Mongod,

    /// <summary>DocumentDB behind the gateway, and Redis, both from the server image.</summary>
    DocumentDb,

    /// <summary>Servers that already run; their connection strings are given.</summary>
    External,
}
