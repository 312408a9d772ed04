using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Execution;

internal static partial class MigrationLog
{
    [LoggerMessage(7, LogLevel.Warning, "{What}; this was allowed")]
    public static partial void LosesData(ILogger logger, string what);
}
