namespace Aspire.Hosting.ApplicationModel;

/// <summary>Marks a type that can be attached to a resource.</summary>
#pragma warning disable CA1040 // the official marker interface
public interface IResourceAnnotation;
#pragma warning restore CA1040
