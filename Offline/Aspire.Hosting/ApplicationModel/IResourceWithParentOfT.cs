namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that is a part of another.</summary>
/// <typeparam name="T">The type of the parent.</typeparam>
public interface IResourceWithParent<out T> : IResourceWithParent
    where T : IResource
{
    /// <summary>The resource that this one is a part of.</summary>
    new T Parent { get; }

    IResource IResourceWithParent.Parent => Parent;
}
