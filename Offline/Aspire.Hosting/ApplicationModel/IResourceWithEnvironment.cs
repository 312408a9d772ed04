namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that takes environment variables.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceWithEnvironment : IResource;
#pragma warning restore CA1040
