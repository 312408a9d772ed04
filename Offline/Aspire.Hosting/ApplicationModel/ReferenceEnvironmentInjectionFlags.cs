namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a reference puts into the environment.</summary>
[Flags]
public enum ReferenceEnvironmentInjectionFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The connection string.</summary>
    ConnectionString = 1,

    /// <summary>The parts of the connection string.</summary>
    ConnectionProperties = 2,

    /// <summary>The <c>services__</c> variables.</summary>
    ServiceDiscovery = 4,

    /// <summary>The <c>NAME_ENDPOINT</c> variables.</summary>
    Endpoints = 8,

    /// <summary>Everything.</summary>
    All = ConnectionString | ConnectionProperties | ServiceDiscovery | Endpoints,
}
