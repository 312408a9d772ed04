using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>A resource whose endpoints others find through service discovery.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;
#pragma warning restore CA1040
