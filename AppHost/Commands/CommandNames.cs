namespace Platform.AppHost.Commands;

/// <summary>Names of the commands that this graph adds to its resources.</summary>
internal static class CommandNames
{
    public const string RunMigrations = "run-migrations";
    public const string SeedAgain = "seed-again";
    public const string CleanData = "clean-data";
    public const string FlushCache = "flush-cache";
}
