namespace Aspire.Hosting.ApplicationModel;

/// <summary>The icon that the dashboard shows for the resource.</summary>
/// <param name="iconName">The name of a Fluent UI icon, without a size.</param>
/// <param name="iconVariant">The variant of the icon.</param>
public sealed class ResourceIconAnnotation(string iconName, IconVariant iconVariant = IconVariant.Filled) : IResourceAnnotation
{
    /// <summary>The name of a Fluent UI icon.</summary>
    public string IconName { get; } = iconName;

    /// <summary>The variant of the icon.</summary>
    public IconVariant IconVariant { get; } = iconVariant;
}
