namespace Platform.Migrator.Engine;

/// <summary>The engine does not go on, for a reason that a person has to look at.</summary>
/// <param name="message">One sentence: the reason and the way out.</param>
public sealed class MigrationRefusedException(string message) : Exception(message);
