using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Platform.Tests.Unit.AppHost;

/// <summary>What resources of a graph, which is not started, are given as their environment.</summary>
internal static class ResourceEnvironments
{
    /// <summary>The environment of each of the resources. It builds the app, which can be done once.</summary>
    public static async Task<List<Dictionary<string, object>>> OfAsync(
        IDistributedApplicationBuilder builder, params IReadOnlyList<IResource> resources)
    {
        // Callbacks may ask for services, which exist once the app is built; it is not started.
        await using var app = builder.Build();
        var environments = new List<Dictionary<string, object>>();
        foreach (var resource in resources)
        {
            var context = new EnvironmentCallbackContext(builder.ExecutionContext, resource);
            foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            {
                await annotation.Callback(context);
            }

            environments.Add(context.EnvironmentVariables);
        }

        return environments;
    }
}
