namespace Aspire.Hosting.ApplicationModel;

/// <summary>How a command is shown and run.</summary>
public class CommandOptions
{
    internal static readonly CommandOptions Default = new();

    /// <summary>A sentence on what the command does.</summary>
    public string? Description { get; set; }

    /// <summary>An opaque value kept with the command.</summary>
    public object? Parameter { get; set; }

    /// <summary>A question to ask the user first.</summary>
    public string? ConfirmationMessage { get; set; }

    /// <summary>The name of a Fluent UI icon.</summary>
    public string? IconName { get; set; }

    /// <summary>The variant of the icon.</summary>
    public IconVariant? IconVariant { get; set; }

    /// <summary>Whether the command is shown as a button of its own.</summary>
    public bool IsHighlighted { get; set; }

    /// <summary>Tells whether the command can be run; null: always.</summary>
    public Func<UpdateCommandStateContext, ResourceCommandState>? UpdateState { get; set; }
}
