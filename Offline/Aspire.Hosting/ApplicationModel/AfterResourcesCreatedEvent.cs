using Aspire.Hosting.Eventing;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Published once, when every resource that starts by itself has been created.</summary>
/// <param name="services">The services of the app host.</param>
/// <param name="model">The graph.</param>
public class AfterResourcesCreatedEvent(IServiceProvider services, DistributedApplicationModel model) : IDistributedApplicationEvent
{
    /// <summary>The services of the app host.</summary>
    public IServiceProvider Services { get; } = services;

    /// <summary>The graph.</summary>
    public DistributedApplicationModel Model { get; } = model;
}
