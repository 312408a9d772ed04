namespace Platform.Seeder;

/// <summary>The command line names something that is not there.</summary>
/// <param name="message">One sentence.</param>
public sealed class SeedUsageException(string message) : Exception(message);
