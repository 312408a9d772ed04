using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint whose address and port are known.</summary>
public class AllocatedEndpoint
{
    /// <summary>Describes it.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="address">The host by which clients reach it.</param>
    /// <param name="port">The public port, 1 to 65535.</param>
    /// <param name="targetPortExpression">What the process gets as the port to bind: a number or an orchestrator expression.</param>
    public AllocatedEndpoint(EndpointAnnotation endpoint, string address, int port, string? targetPortExpression = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentException.ThrowIfNullOrEmpty(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
        Endpoint = endpoint;
        Address = address;
        Port = port;
        TargetPortExpression = targetPortExpression;
    }

    /// <summary>The endpoint.</summary>
    public EndpointAnnotation Endpoint { get; }

    /// <summary>The host by which clients reach it.</summary>
    public string Address { get; }

    /// <summary>The public port.</summary>
    public int Port { get; }

    /// <summary>What the process gets as the port to bind.</summary>
    public string? TargetPortExpression { get; }

    /// <summary>The scheme of the URL.</summary>
    public string UriScheme => Endpoint.UriScheme;

    /// <summary>HOST:PORT.</summary>
    public string EndPointString => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");

    /// <summary>SCHEME://HOST:PORT.</summary>
#pragma warning disable CA1056 // the official type of the member
    public string UriString => $"{UriScheme}://{EndPointString}";
#pragma warning restore CA1056

    /// <inheritdoc />
    public override string ToString() => UriString;
}
