namespace Aspire.Hosting.ApplicationModel;

/// <summary>Refers to the connection string of a resource.</summary>
/// <param name="resource">The resource.</param>
/// <param name="optional">Whether it may be missing.</param>
public class ConnectionStringReference(IResourceWithConnectionString resource, bool optional) : IExpressionValue, IValueWithReferences
{
    /// <summary>The resource.</summary>
    public IResourceWithConnectionString Resource { get; } = resource;

    /// <summary>Whether the connection string may be missing.</summary>
    public bool Optional { get; } = optional;

    string IManifestExpressionProvider.ValueExpression => Resource.ValueExpression;

    IEnumerable<object> IValueWithReferences.References => [Resource];

    async ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken)
    {
        string? value;
        try
        {
            value = await Resource.GetConnectionStringAsync(cancellationToken);
        }
        catch (MissingParameterValueException) when (Optional)
        {
            return null;
        }

        return !string.IsNullOrEmpty(value) || Optional
            ? value
            : throw new DistributedApplicationException($"The connection string of the resource '{Resource.Name}' is missing.");
    }

    ValueTask<string?> IValueProvider.GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken)
        => ((IValueProvider)this).GetValueAsync(cancellationToken);
}
