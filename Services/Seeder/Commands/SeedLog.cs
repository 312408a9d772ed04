using Microsoft.Extensions.Logging;

namespace Platform.Seeder.Commands;

internal static partial class SeedLog
{
    [LoggerMessage(2, LogLevel.Information, "Seeded {Documents} documents with hash {Hash} in {DurationMs:0} ms")]
    public static partial void Seeded(ILogger logger, long documents, string hash, double durationMs);

    [LoggerMessage(3, LogLevel.Information, "The database is seeded already, hash {Hash}")]
    public static partial void AlreadySeeded(ILogger logger, string? hash);

    [LoggerMessage(4, LogLevel.Information, "Removed {Documents} seeded documents")]
    public static partial void Cleaned(ILogger logger, long documents);
}
