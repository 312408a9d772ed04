namespace Aspire.Hosting.ApplicationModel;

/// <summary>A command on a resource, with its present state.</summary>
/// <param name="Name">The name by which it is run.</param>
/// <param name="State">Whether it can be run now.</param>
/// <param name="DisplayName">What the user sees.</param>
/// <param name="DisplayDescription">A sentence on what it does.</param>
/// <param name="Parameter">An opaque value kept with the command.</param>
/// <param name="ConfirmationMessage">A question to ask before it is run.</param>
/// <param name="IconName">The name of a Fluent UI icon.</param>
/// <param name="IconVariant">The variant of the icon.</param>
/// <param name="IsHighlighted">Whether it is shown as a button of its own.</param>
public sealed record ResourceCommandSnapshot(
    string Name,
    ResourceCommandState State,
    string DisplayName,
    string? DisplayDescription,
    object? Parameter,
    string? ConfirmationMessage,
    string? IconName,
    IconVariant? IconVariant,
    bool IsHighlighted);
