namespace Platform.MigrationWorker;

/// <summary>What one migrator of a race did.</summary>
/// <param name="Applied">How many migrations it applied.</param>
/// <param name="Error">Why it did not end well; null when it did.</param>
public sealed record RaceAnswer(int Applied, string? Error);
