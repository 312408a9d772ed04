using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds connection strings made of other values.</summary>
public static class ConnectionStringBuilderExtensions
{
    /// <summary>Adds a connection string; it is there when the resources that it is made of run.</summary>
    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        ReferenceExpression connectionStringExpression)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var resource = builder.AddResource(new ConnectionStringResource(name, connectionStringExpression));
        foreach (var dependency in ValueReferences.Resources(connectionStringExpression).Where(r => r is not (ParameterResource or IResourceWithoutLifetime)).Distinct())
        {
            resource.WithReferenceRelationship(dependency);
            resource.WaitForStart(builder.CreateResourceBuilder(dependency));
        }

        return resource;
    }

    /// <summary>Adds a connection string; it is there when the resources that it is made of run.</summary>
    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        Action<ReferenceExpressionBuilder> connectionStringBuilder)
    {
        var expression = new ReferenceExpressionBuilder();
        connectionStringBuilder(expression);
        return builder.AddConnectionString(name, expression.Build());
    }
}
