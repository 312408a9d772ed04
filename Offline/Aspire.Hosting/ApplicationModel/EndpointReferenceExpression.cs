using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Refers to a part of an endpoint.</summary>
/// <param name="endpointReference">The endpoint.</param>
/// <param name="property">The part.</param>
public class EndpointReferenceExpression(EndpointReference endpointReference, EndpointProperty property)
    : IExpressionValue, IValueWithReferences
{
    /// <summary>The endpoint.</summary>
    public EndpointReference Endpoint { get; } = endpointReference;

    /// <summary>The part.</summary>
    public EndpointProperty Property { get; } = property;

    /// <inheritdoc />
#pragma warning disable CA1308 // the manifest's names are lower case
    public string ValueExpression
        => $"{{{Endpoint.Resource.Name}.bindings.{Endpoint.EndpointName}.{Property.ToString().ToLowerInvariant()}}}";
#pragma warning restore CA1308

    IEnumerable<object> IValueWithReferences.References => [Endpoint];

    /// <summary>Gets the part, waiting until it is known. The target port may be an orchestrator expression.</summary>
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        switch (Property)
        {
            case EndpointProperty.Scheme:
                return Endpoint.Scheme;
            case EndpointProperty.TlsEnabled:
                return Endpoint.TlsEnabled ? bool.TrueString : bool.FalseString;
            case EndpointProperty.IPV4Host:
                return "127.0.0.1";
            case EndpointProperty.TargetPort when Endpoint.TargetPort is { } fixedPort:
                return fixedPort.ToString(CultureInfo.InvariantCulture);
            default:
                var allocated = await Endpoint.EndpointAnnotation.AllocatedEndpointSnapshot.GetValueAsync(cancellationToken);
                return Property switch
                {
                    EndpointProperty.Url => allocated.UriString,
                    EndpointProperty.Host => allocated.Address,
                    EndpointProperty.Port => allocated.Port.ToString(CultureInfo.InvariantCulture),
                    EndpointProperty.TargetPort => allocated.TargetPortExpression,
                    EndpointProperty.HostAndPort => allocated.EndPointString,
                    _ => throw new InvalidOperationException($"The endpoint property {Property} is unknown."),
                };
        }
    }

    /// <summary>Gets the part, waiting until it is known.</summary>
    public ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
        => GetValueAsync(cancellationToken);
}
