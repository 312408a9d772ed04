namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value that is also an expression.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IExpressionValue : IValueProvider, IManifestExpressionProvider;
#pragma warning restore CA1040
