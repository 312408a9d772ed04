namespace Aspire.Hosting.ApplicationModel;

/// <summary>Makes command results.</summary>
public static class CommandResults
{
    /// <summary>The command succeeded.</summary>
    public static ExecuteCommandResult Success() => new() { Success = true };

    /// <summary>The command succeeded, with something to tell the user.</summary>
    public static ExecuteCommandResult Success(string message) => new() { Success = true, Message = message };

    /// <summary>The command failed.</summary>
    public static ExecuteCommandResult Failure(string? errorMessage = null)
        => new() { Success = false, ErrorMessage = errorMessage, Message = errorMessage };

    /// <summary>The command failed with an exception.</summary>
    public static ExecuteCommandResult Failure(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return Failure(exception.Message);
    }

    /// <summary>The user cancelled the command.</summary>
    public static ExecuteCommandResult Canceled() => new() { Success = false, Canceled = true };
}
