namespace Aspire.Hosting.ApplicationModel;

/// <summary>A part of the application graph: data plus annotations; what runs it is elsewhere.</summary>
public interface IResource
{
    /// <summary>The name, unique in the graph when compared without case.</summary>
    string Name { get; }

    /// <summary>What extension methods recorded about the resource.</summary>
    ResourceAnnotationCollection Annotations { get; }
}
