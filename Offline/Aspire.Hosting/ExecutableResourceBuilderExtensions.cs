using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds local programs to the graph.</summary>
public static class ExecutableResourceBuilderExtensions
{
    /// <summary>Adds a program.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="command">The program: a path or a name on PATH.</param>
    /// <param name="workingDirectory">The directory that it runs in, relative to the app host's.</param>
    /// <param name="args">Its arguments.</param>
    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string command,
        string workingDirectory,
        params string[]? args)
        => builder.AddExecutable(name, command, workingDirectory, (object[]?)args);

    /// <summary>Adds a program.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="command">The program: a path or a name on PATH.</param>
    /// <param name="workingDirectory">The directory that it runs in, relative to the app host's.</param>
    /// <param name="args">Its arguments: strings or values that are known later.</param>
    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string command,
        string workingDirectory,
        params object[]? args)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var directory = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, workingDirectory));
        var resource = builder.AddResource(new ExecutableResource(name, command, directory));
        return args is { Length: > 0 } ? resource.WithArgs(args) : resource;
    }

    /// <summary>Changes the program.</summary>
    public static IResourceBuilder<T> WithCommand<T>(this IResourceBuilder<T> builder, string command)
        where T : ExecutableResource
    {
        ArgumentException.ThrowIfNullOrEmpty(command);
        builder.Resource.Annotations.OfType<ExecutableAnnotation>().Last().Command = command;
        return builder;
    }

    /// <summary>Changes the directory that it runs in, relative to the app host's.</summary>
    public static IResourceBuilder<T> WithWorkingDirectory<T>(this IResourceBuilder<T> builder, string workingDirectory)
        where T : ExecutableResource
    {
        ArgumentNullException.ThrowIfNull(workingDirectory);
        builder.Resource.Annotations.OfType<ExecutableAnnotation>().Last().WorkingDirectory =
            Path.GetFullPath(Path.Combine(builder.ApplicationBuilder.AppHostDirectory, workingDirectory));
        return builder;
    }
}
