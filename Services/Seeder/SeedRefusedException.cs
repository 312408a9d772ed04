namespace Platform.Seeder;

/// <summary>The seeder does not touch this database.</summary>
/// <param name="message">One sentence: the reason and the way out.</param>
public sealed class SeedRefusedException(string message) : Exception(message);
