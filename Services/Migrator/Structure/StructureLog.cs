using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Structure;

internal static partial class StructureLog
{
    [LoggerMessage(1, LogLevel.Information, "{Number}/{Count} {Change}: done in {DurationMs:0} ms")]
    public static partial void Done(ILogger logger, int number, int count, string change, double durationMs);

    [LoggerMessage(2, LogLevel.Debug, "The database has all {Collections} collections of the catalogue with their validators and indexes")]
    public static partial void InLine(ILogger logger, int collections);

    [LoggerMessage(3, LogLevel.Warning, "The server has no time series, so {Collection} is a plain collection with the same indexes and one that lets "
        + "documents expire: {Reason}")]
    public static partial void NoTimeSeries(ILogger logger, string collection, string reason);

    [LoggerMessage(4, LogLevel.Information, "Dropped {What}, which this version does not have, in {DurationMs:0} ms")]
    public static partial void Removed(ILogger logger, string what, double durationMs);
}
