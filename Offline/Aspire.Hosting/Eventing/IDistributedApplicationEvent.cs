namespace Aspire.Hosting.Eventing;

/// <summary>An event of the graph.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IDistributedApplicationEvent;
#pragma warning restore CA1040
