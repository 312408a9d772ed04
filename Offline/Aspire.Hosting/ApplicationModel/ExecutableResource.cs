namespace Aspire.Hosting.ApplicationModel;

/// <summary>A local program.</summary>
public class ExecutableResource
    : Resource, IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IComputeResource
{
    /// <summary>Creates the resource.</summary>
    /// <param name="name">The name.</param>
    /// <param name="command">The program: a path or a name on PATH.</param>
    /// <param name="workingDirectory">The directory it runs in.</param>
    public ExecutableResource(string name, string command, string workingDirectory)
        : base(name)
    {
        ArgumentException.ThrowIfNullOrEmpty(command);
        ArgumentNullException.ThrowIfNull(workingDirectory);
        Annotations.Add(new ExecutableAnnotation { Command = command, WorkingDirectory = workingDirectory });
    }

    /// <summary>The program.</summary>
    public string Command => Executable.Command;

    /// <summary>The directory it runs in.</summary>
    public string WorkingDirectory => Executable.WorkingDirectory;

    private ExecutableAnnotation Executable => Annotations.OfType<ExecutableAnnotation>().Last();
}
