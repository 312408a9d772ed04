namespace Platform.Backup.Engines;

/// <summary>A backup, a restore or what belongs to them did not go well, for a reason that a person is told.</summary>
/// <param name="message">One sentence or more: the reason, and the way out.</param>
/// <param name="exitCode">The exit code of a command that ends with it.</param>
/// <param name="inner">What it was caused by.</param>
internal sealed class BackupException(string message, int exitCode = ExitCodes.Failure, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The exit code of a command that ends with it.</summary>
    public int ExitCode { get; } = exitCode;
}
