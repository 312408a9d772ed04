namespace Platform.Migrator.Engine;

/// <summary>A migration threw.</summary>
/// <param name="fullName">Which.</param>
/// <param name="innerException">What it threw.</param>
public sealed class MigrationFailedException(string fullName, Exception innerException)
    : Exception($"Migration {fullName} failed: {innerException?.Message.ReplaceLineEndings(" ")}", innerException);
