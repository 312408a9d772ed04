using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A port that a resource listens on.</summary>
public sealed class EndpointAnnotation : IResourceAnnotation
{
    /// <summary>Describes an endpoint.</summary>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="uriScheme">Default: the protocol's name in lower case.</param>
    /// <param name="transport">Default: <c>http</c> for http and https, else the protocol's name.</param>
    /// <param name="name">Default: the scheme.</param>
    /// <param name="port">The public port; null: any free one.</param>
    /// <param name="targetPort">The port that the process binds; null: any free one.</param>
    /// <param name="isExternal">Whether clients outside the graph use it.</param>
    /// <param name="isProxied">Whether a proxy holds the public port; default true.</param>
    public EndpointAnnotation(
        ProtocolType protocol,
        string? uriScheme = null,
        string? transport = null,
        string? name = null,
        int? port = null,
        int? targetPort = null,
        bool? isExternal = null,
        bool? isProxied = null)
    {
        Protocol = protocol;
        UriScheme = uriScheme ?? LowerName(protocol);
        Transport = transport ?? (UriScheme is "http" or "https" ? "http" : LowerName(protocol));
        Name = name ?? UriScheme;
        ModelName.Validate(Name, "endpoint");
        _port = port;
        _targetPort = targetPort;
        IsExternal = isExternal ?? false;
        IsExplicitlyProxied = isProxied;
        IsProxied = isProxied ?? true;
        TlsEnabled = UriScheme is "https";
    }

    private int? _port;
    private int? _targetPort;

    /// <summary>TCP or UDP.</summary>
    public ProtocolType Protocol { get; set; }

    /// <summary>The name, unique in the resource.</summary>
    public string Name { get; set; }

    /// <summary>The scheme of the endpoint's URL.</summary>
    public string UriScheme { get; set; }

    /// <summary><c>http</c>, <c>http2</c>, <c>tcp</c>.</summary>
    public string Transport { get; set; }

    /// <summary>The public port; null: any free one. Without a proxy it is also the target port.</summary>
    public int? Port
    {
        get => _port ?? (IsProxied ? null : _targetPort);
        set => _port = value;
    }

    /// <summary>The port that the process binds; null: any free one. Without a proxy it is also the public port.</summary>
    public int? TargetPort
    {
        get => _targetPort ?? (IsProxied ? null : _port);
        set => _targetPort = value;
    }

    /// <summary>The host that the process binds.</summary>
    public string TargetHost { get; set; } = "localhost";

    /// <summary>Whether clients outside the graph use it.</summary>
    public bool IsExternal { get; set; }

    /// <summary>Whether a proxy holds the public port, so that it stays the same when the process restarts.</summary>
    public bool IsProxied { get; set; }

    /// <summary>What was asked for about the proxy; null: nothing.</summary>
    public bool? IsExplicitlyProxied { get; set; }

    /// <summary>Whether the endpoint speaks TLS.</summary>
    public bool TlsEnabled { get; set; }

    /// <summary>Whether a reference to the resource as a whole leaves this endpoint out.</summary>
    public bool ExcludeReferenceEndpoint { get; set; }

    /// <summary>The address and port, once known; null before.</summary>
    public AllocatedEndpoint? AllocatedEndpoint
    {
        get => AllocatedEndpointSnapshot.IsValueSet ? AllocatedEndpointSnapshot.GetValueAsync().GetAwaiter().GetResult() : null;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            AllocatedEndpointSnapshot.SetValue(value);
        }
    }

    /// <summary>The address and port, to be waited for.</summary>
    public ValueSnapshot<AllocatedEndpoint> AllocatedEndpointSnapshot { get; } = new();

#pragma warning disable CA1308 // schemes are lower case
    private static string LowerName(ProtocolType protocol) => protocol.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
