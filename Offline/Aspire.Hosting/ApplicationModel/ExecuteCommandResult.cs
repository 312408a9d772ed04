namespace Aspire.Hosting.ApplicationModel;

/// <summary>The outcome of a command.</summary>
public sealed class ExecuteCommandResult
{
    /// <summary>Whether the command succeeded.</summary>
    public required bool Success { get; init; }

    /// <summary>Whether the user cancelled it.</summary>
    public bool Canceled { get; init; }

    /// <summary>Why it failed.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>What to tell the user.</summary>
    public string? Message { get; init; }
}
