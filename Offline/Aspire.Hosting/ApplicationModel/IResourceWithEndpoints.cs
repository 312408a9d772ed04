namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that listens on ports.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceWithEndpoints : IResource;
#pragma warning restore CA1040
