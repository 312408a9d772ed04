namespace Platform.AppHost;

internal static class ServiceExtensions
{
    /// <summary>
    /// Adds a project of this solution in the AppHost's own environment. Its launch profile is for starting it alone
    /// and is left out: endpoints are declared in the graph, so that two checkouts can run side by side.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
        => builder.AddProject<TProject>(name, launchProfileName: null)
            .WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName);

    /// <summary>Adds a project that does one thing and ends: it is done when it has ended with exit code 0, not while it runs.</summary>
    public static IResourceBuilder<ProjectResource> AddJob<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
        => builder.AddService<TProject>(name).WithAnnotation(new JobAnnotation());
}
