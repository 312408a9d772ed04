namespace Aspire.Hosting.ApplicationModel;

/// <summary>Base class of resources.</summary>
public abstract class Resource : IResource
{
    /// <summary>Initialises the resource.</summary>
    /// <exception cref="ArgumentException"><paramref name="name"/> is not a valid resource name.</exception>
    protected Resource(string name)
    {
        ModelName.Validate(name, "resource");
        Name = name;
    }

    /// <inheritdoc />
    public virtual string Name { get; }

    /// <inheritdoc />
    public virtual ResourceAnnotationCollection Annotations { get; } = [];

    /// <inheritdoc />
    public override string ToString() => $"{GetType().Name} {Name}";
}
