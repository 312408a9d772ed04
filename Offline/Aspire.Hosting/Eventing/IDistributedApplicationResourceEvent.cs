using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Eventing;

/// <summary>An event of one resource.</summary>
public interface IDistributedApplicationResourceEvent : IDistributedApplicationEvent
{
    /// <summary>The resource.</summary>
    IResource Resource { get; }

    /// <summary>The services of the app host.</summary>
    IServiceProvider Services { get; }

    /// <summary>Writes to the resource's console log.</summary>
    ILogger Logger => Services.GetRequiredService<ResourceLoggerService>().GetLogger(Resource);
}
