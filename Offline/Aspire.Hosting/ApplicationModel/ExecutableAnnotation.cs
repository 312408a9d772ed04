namespace Aspire.Hosting.ApplicationModel;

/// <summary>What an executable resource runs.</summary>
public sealed class ExecutableAnnotation : IResourceAnnotation
{
    /// <summary>The program: a path or a name on PATH.</summary>
    public required string Command { get; set; }

    /// <summary>The directory it runs in.</summary>
    public required string WorkingDirectory { get; set; }
}
