namespace Aspire.Hosting.ApplicationModel;

/// <summary>Refers to an endpoint by name; its value is the URL.</summary>
public sealed class EndpointReference : IExpressionValue, IValueWithReferences
{
    private EndpointAnnotation? _annotation;

    /// <summary>Refers to an endpoint that may be added later.</summary>
    public EndpointReference(IResourceWithEndpoints owner, string endpointName)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentException.ThrowIfNullOrEmpty(endpointName);
        Resource = owner;
        EndpointName = endpointName;
    }

    /// <summary>Refers to an endpoint.</summary>
    public EndpointReference(IResourceWithEndpoints owner, EndpointAnnotation endpoint)
        : this(owner, endpoint?.Name ?? throw new ArgumentNullException(nameof(endpoint)))
        => _annotation = endpoint;

    /// <summary>The resource that listens.</summary>
    public IResourceWithEndpoints Resource { get; }

    /// <summary>The endpoint's name.</summary>
    public string EndpointName { get; }

    /// <summary>The endpoint.</summary>
    /// <exception cref="InvalidOperationException">The resource has no endpoint of that name.</exception>
    public EndpointAnnotation EndpointAnnotation => Find()
        ?? throw new InvalidOperationException(ErrorMessage ?? $"The resource '{Resource.Name}' has no endpoint named '{EndpointName}'.");

    /// <summary>What to say when the endpoint does not exist.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>Whether the endpoint exists.</summary>
    public bool Exists => Find() is not null;

    /// <summary>Whether its address and port are known.</summary>
    public bool IsAllocated => EndpointAnnotation.AllocatedEndpoint is not null;

    /// <summary>Whether the scheme is http.</summary>
    public bool IsHttp => string.Equals(Scheme, "http", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the scheme is https.</summary>
    public bool IsHttps => string.Equals(Scheme, "https", StringComparison.OrdinalIgnoreCase);

    /// <summary>The scheme.</summary>
    public string Scheme => EndpointAnnotation.UriScheme;

    /// <summary>Whether the endpoint speaks TLS.</summary>
    public bool TlsEnabled => EndpointAnnotation.TlsEnabled;

    /// <summary>Whether a reference to the resource as a whole leaves this endpoint out.</summary>
    public bool ExcludeReferenceEndpoint => EndpointAnnotation.ExcludeReferenceEndpoint;

    /// <summary>The port that the process binds, when it is fixed.</summary>
    public int? TargetPort => EndpointAnnotation.TargetPort;

    /// <summary>The public port.</summary>
    /// <exception cref="InvalidOperationException">It is not known yet.</exception>
    public int Port => Allocated.Port;

    /// <summary>The host.</summary>
    /// <exception cref="InvalidOperationException">It is not known yet.</exception>
    public string Host => Allocated.Address;

    /// <summary>SCHEME://HOST:PORT.</summary>
    /// <exception cref="InvalidOperationException">The port is not known yet.</exception>
#pragma warning disable CA1056 // the official type of the member
    public string Url => Allocated.UriString;
#pragma warning restore CA1056

    string IManifestExpressionProvider.ValueExpression => $"{{{Resource.Name}.bindings.{EndpointName}.url}}";

    IEnumerable<object> IValueWithReferences.References => [Resource];

    private AllocatedEndpoint Allocated => EndpointAnnotation.AllocatedEndpoint
        ?? throw new InvalidOperationException($"The port of endpoint '{EndpointName}' of resource '{Resource.Name}' is not known yet.");

    /// <summary>Refers to a part of the endpoint.</summary>
    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    /// <summary>Gets the URL, waiting until the port is known.</summary>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
        => Property(EndpointProperty.Url).GetValueAsync(cancellationToken);

    /// <summary>Gets the URL, waiting until the port is known.</summary>
    public ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
        => GetValueAsync(cancellationToken);

    private EndpointAnnotation? Find()
        => _annotation ??= Resource.Annotations.OfType<EndpointAnnotation>()
            .FirstOrDefault(e => string.Equals(e.Name, EndpointName, StringComparison.OrdinalIgnoreCase));
}
