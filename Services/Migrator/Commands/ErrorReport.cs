namespace Platform.Migrator.Commands;

/// <summary>What a command prints in place of its report when it could not do its work and JSON is asked for.</summary>
/// <param name="ExitCode">The exit code.</param>
/// <param name="Error">One sentence.</param>
internal sealed record ErrorReport(int ExitCode, string Error);
