namespace Platform.Hosting.Mongo;

/// <summary>Where servers come from.</summary>
public enum Engine
{
    /// <summary>Container images, run by Docker or Podman.</summary>
    Containers,

    /// <summary>The <c>mongod</c> and <c>mongosh</c> of this machine.</summary>
    Mongod,

    /// <summary>DocumentDB behind a gateway, both from a server image.</summary>
    DocumentDb,

    /// <summary>Servers that already run; their connection strings are given.</summary>
    External,
}
