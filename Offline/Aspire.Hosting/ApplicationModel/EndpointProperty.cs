namespace Aspire.Hosting.ApplicationModel;

/// <summary>A part of an endpoint.</summary>
public enum EndpointProperty
{
    /// <summary>SCHEME://HOST:PORT.</summary>
    Url = 0,

    /// <summary>The host.</summary>
    Host = 1,

    /// <summary>127.0.0.1.</summary>
    IPV4Host = 2,

    /// <summary>The public port.</summary>
    Port = 3,

    /// <summary>The scheme.</summary>
    Scheme = 4,

    /// <summary>The port that the process binds.</summary>
    TargetPort = 5,

    /// <summary>HOST:PORT.</summary>
    HostAndPort = 6,

    /// <summary><c>True</c> or <c>False</c>.</summary>
    TlsEnabled = 7,
}
