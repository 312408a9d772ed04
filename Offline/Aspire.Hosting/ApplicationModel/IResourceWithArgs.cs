namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that takes command-line arguments.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceWithArgs : IResource;
#pragma warning restore CA1040
