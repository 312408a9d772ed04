using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Execution;

internal static partial class MigrationLog
{
    [LoggerMessage(1, LogLevel.Information, "Applying migration {Migration}")]
    public static partial void Applying(ILogger logger, string migration);

    [LoggerMessage(2, LogLevel.Information, "Applied migration {Migration} in {DurationMs:0} ms")]
    public static partial void Applied(ILogger logger, string migration, double durationMs);

    [LoggerMessage(3, LogLevel.Error, "Migration {Migration} failed in step {Step}")]
    public static partial void Failed(ILogger logger, Exception exception, string migration, string? step);

    [LoggerMessage(4, LogLevel.Warning, "Migration {Migration} is half-done, on {Host}; going on with it")]
    public static partial void Repeating(ILogger logger, string migration, string host);

    [LoggerMessage(5, LogLevel.Information, "Took back migration {Migration} in {DurationMs:0} ms")]
    public static partial void TakenBack(ILogger logger, string migration, double durationMs);

    [LoggerMessage(6, LogLevel.Warning, "The outcome of migration {Migration} could not be recorded")]
    public static partial void NotRecorded(ILogger logger, Exception exception, string migration);
}
