namespace Aspire.Hosting.ApplicationModel;

/// <summary>An additional part of a connection string that consumers get as a separate variable.</summary>
/// <param name="name">The name of the part.</param>
/// <param name="referenceExpression">Its value.</param>
public sealed class ConnectionPropertyAnnotation(string name, ReferenceExpression referenceExpression) : IResourceAnnotation
{
    /// <summary>The name of the part.</summary>
    public string Name { get; } = name;

    /// <summary>Its value.</summary>
    public ReferenceExpression Value { get; } = referenceExpression;
}
