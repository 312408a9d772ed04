namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that neither starts nor stops, such as a parameter; nobody waits for it.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceWithoutLifetime : IResource;
#pragma warning restore CA1040
