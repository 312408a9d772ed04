namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that runs a program.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IComputeResource : IResource;
#pragma warning restore CA1040
