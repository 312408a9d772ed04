using Microsoft.Extensions.Configuration;

namespace Platform.AppHost.Services;

internal static class ServiceExtensions
{
    /// <summary>
    /// Adds a project of this solution in the AppHost's own environment. Its launch profile is for starting it alone
    /// and is left out: endpoints are declared in the graph, so that two checkouts can run side by side.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(
        this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
        => builder.AddProject<TProject>(name, launchProfileName: null)
            .WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName)
            .RunAsBuilt();

    /// <summary>
    /// Adds a project that does one thing and ends: it is done when it has ended with exit code 0, not while it runs.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddJob<TProject>(
        this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
        => builder.AddService<TProject>(name).WithAnnotation(new JobAnnotation());

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
