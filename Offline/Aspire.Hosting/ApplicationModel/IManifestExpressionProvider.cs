namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something that can be written as an expression, such as <c>{cache.bindings.tcp.port}</c>.</summary>
public interface IManifestExpressionProvider
{
    /// <summary>The expression.</summary>
    string ValueExpression { get; }
}
