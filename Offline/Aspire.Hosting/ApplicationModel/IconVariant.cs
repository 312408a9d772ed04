namespace Aspire.Hosting.ApplicationModel;

/// <summary>The variant of a Fluent UI icon.</summary>
public enum IconVariant
{
    /// <summary>Outlines.</summary>
    Regular = 0,

    /// <summary>Filled areas.</summary>
    Filled = 1,
}
