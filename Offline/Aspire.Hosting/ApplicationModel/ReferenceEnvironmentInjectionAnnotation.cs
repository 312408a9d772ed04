namespace Aspire.Hosting.ApplicationModel;

/// <summary>What references of the resource put into its environment.</summary>
/// <param name="flags">What they put.</param>
public sealed class ReferenceEnvironmentInjectionAnnotation(ReferenceEnvironmentInjectionFlags flags) : IResourceAnnotation
{
    /// <summary>What they put.</summary>
    public ReferenceEnvironmentInjectionFlags Flags { get; } = flags;
}
