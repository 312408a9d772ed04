namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource whose start can be held back until another is ready.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceWithWaitSupport : IResource;
#pragma warning restore CA1040
