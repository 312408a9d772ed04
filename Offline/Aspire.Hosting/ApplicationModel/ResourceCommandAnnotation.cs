namespace Aspire.Hosting.ApplicationModel;

/// <summary>A command that a user can run on a resource.</summary>
public sealed class ResourceCommandAnnotation : IResourceAnnotation
{
    /// <summary>Creates a command.</summary>
    public ResourceCommandAnnotation(
        string name,
        string displayName,
        Func<UpdateCommandStateContext, ResourceCommandState> updateState,
        Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand,
        string? displayDescription,
        object? parameter,
        string? confirmationMessage,
        string? iconName,
        IconVariant? iconVariant,
        bool isHighlighted)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(displayName);
        ArgumentNullException.ThrowIfNull(updateState);
        ArgumentNullException.ThrowIfNull(executeCommand);
        Name = name;
        DisplayName = displayName;
        UpdateState = updateState;
        ExecuteCommand = executeCommand;
        DisplayDescription = displayDescription;
        Parameter = parameter;
        ConfirmationMessage = confirmationMessage;
        IconName = iconName;
        IconVariant = iconVariant;
        IsHighlighted = isHighlighted;
    }

    /// <summary>The name by which the command is run.</summary>
    public string Name { get; }

    /// <summary>What the user sees.</summary>
    public string DisplayName { get; }

    /// <summary>Tells whether the command can be run in the resource's present state.</summary>
    public Func<UpdateCommandStateContext, ResourceCommandState> UpdateState { get; }

    /// <summary>Runs the command.</summary>
    public Func<ExecuteCommandContext, Task<ExecuteCommandResult>> ExecuteCommand { get; }

    /// <summary>A sentence on what the command does.</summary>
    public string? DisplayDescription { get; }

    /// <summary>An opaque value kept with the command.</summary>
    public object? Parameter { get; }

    /// <summary>A question to ask the user before the command is run.</summary>
    public string? ConfirmationMessage { get; }

    /// <summary>The name of a Fluent UI icon.</summary>
    public string? IconName { get; }

    /// <summary>The variant of the icon.</summary>
    public IconVariant? IconVariant { get; }

    /// <summary>Whether the command is shown as a button of its own.</summary>
    public bool IsHighlighted { get; }
}
