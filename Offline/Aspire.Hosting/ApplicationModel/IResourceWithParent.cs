namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that is a part of another.</summary>
public interface IResourceWithParent : IResource
{
    /// <summary>The resource that this one is a part of.</summary>
    IResource Parent { get; }
}
