namespace Aspire.Hosting.ApplicationModel;

/// <summary>A connection string from the configuration key <c>ConnectionStrings:NAME</c>.</summary>
internal sealed class ConnectionStringParameterResource : ParameterResource, IResourceWithConnectionString
{
    public ConnectionStringParameterResource(string name, Func<ParameterDefault?, string> callback, string? environmentVariableName)
        : base(name, callback, secret: true)
    {
        IsConnectionString = true;
        ConnectionStringEnvironmentVariable = environmentVariableName;
    }

    public string? ConnectionStringEnvironmentVariable { get; }

    public ReferenceExpression ConnectionStringExpression
    {
        get
        {
            var builder = new ReferenceExpressionBuilder();
            builder.AppendValueProvider(this);
            return builder.Build();
        }
    }

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => GetValueAsync(cancellationToken);

    IEnumerable<object> IValueWithReferences.References => [];

    string IManifestExpressionProvider.ValueExpression => ValueExpression;

    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) => GetValueAsync(cancellationToken);

    ValueTask<string?> IValueProvider.GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken)
        => GetValueAsync(cancellationToken);
}
