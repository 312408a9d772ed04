using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Commands;

internal static partial class SessionLog
{
    [LoggerMessage(2, LogLevel.Information, "The database is up to date: {Migrations} migrations applied and {Changes} further changes made in {DurationMs:0} ms")]
    public static partial void UpToDate(ILogger logger, int migrations, int changes, double durationMs);

    [LoggerMessage(3, LogLevel.Information, "No migration is applied, so there is nothing to take back")]
    public static partial void NothingToTakeBack(ILogger logger);

    [LoggerMessage(5, LogLevel.Warning, "The lease was lost, so the work was stopped; waiting for it again (attempt {Attempt} of {Attempts})")]
    public static partial void QueueingAgain(ILogger logger, int attempt, int attempts);
}
