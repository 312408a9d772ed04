using Microsoft.Extensions.Configuration;

namespace Platform.AppHost.Services;

internal static class ServiceExtensions
{
    // Those of the service defaults.
    private const string HealthPath = "/health";
    private const string AlivePath = "/alive";

    /// <summary>
    /// Adds a project of this solution in the AppHost's own environment. Its launch profile is for starting it alone
    /// and is left out: endpoints are declared in the graph, so that two checkouts can run side by side.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(
        this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
    {
        var project = builder.AddProject<TProject>(name, launchProfileName: null);
        // What is deployed is in production, whoever publishes it.
        return builder.ExecutionContext.IsPublishMode
            ? project
            : project.WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName).RunAsBuilt();
    }

    /// <summary>
    /// Adds a project that does one thing and ends: it is done when it has ended with exit code 0, not while it runs.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddJob<TProject>(
        this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
        => builder.AddService<TProject>(name).WithAnnotation(new JobAnnotation());

    /// <summary>
    /// Lets the health of a service be asked for: here by the graph, and where it is deployed by what runs it, which sends requests to it
    /// while it is ready, and starts it again when it is not alive.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithProbes(this IResourceBuilder<ProjectResource> service)
        => service.ApplicationBuilder.ExecutionContext.IsRunMode
            ? service.WithHttpHealthCheck(HealthPath)
            // The check itself takes five seconds at most.
            : service.WithHttpProbe(ProbeType.Readiness, HealthPath, periodSeconds: 5, timeoutSeconds: 6)
                .WithHttpProbe(ProbeType.Liveness, AlivePath, periodSeconds: 10);

    /// <summary>Gives a program these arguments where it is deployed; here it has those that it takes by itself.</summary>
    public static IResourceBuilder<ProjectResource> WithPublishArgs(
        this IResourceBuilder<ProjectResource> project, params string[] arguments)
        => project.ApplicationBuilder.ExecutionContext.IsPublishMode ? project.WithArgs(arguments) : project;

    // Aspire starts projects by "dotnet run --no-build", which takes longer to find the program than many a program to
    // start. The program is beside the AppHost's own, built with it. A debugger starts projects its own way, and
    // "dotnet watch" too.
    private static IResourceBuilder<ProjectResource> RunAsBuilt(this IResourceBuilder<ProjectResource> project)
    {
        var configuration = project.ApplicationBuilder.Configuration;
        var path = project.Resource.GetProjectMetadata().ProjectPath;
        var program = ProgramOf(path, AppContext.BaseDirectory);
        return configuration["DEBUG_SESSION_PORT"] is { Length: > 0 } || configuration.GetValue<bool>("DOTNET_WATCH")
            || !File.Exists(program)
            ? project
            : project.WithAnnotation(
                new ExecutableAnnotation { Command = program, WorkingDirectory = Path.GetDirectoryName(path)! });
    }

    /// <summary>
    /// Where the build puts a project's program: in a directory of its own, for the same configuration as the running
    /// one.
    /// </summary>
    /// <param name="projectPath">The project file.</param>
    /// <param name="output">The directory of the running program: <c>artifacts/bin/PROJECT/CONFIGURATION</c>.</param>
    internal static string ProgramOf(string projectPath, string output)
    {
        var name = Path.GetFileNameWithoutExtension(projectPath);
        return Path.GetFullPath(Path.Combine(
            output, "..", "..", name, Path.GetFileName(Path.TrimEndingDirectorySeparator(output)),
            $"Platform.{name}{(OperatingSystem.IsWindows() ? ".exe" : "")}"));
    }
}
