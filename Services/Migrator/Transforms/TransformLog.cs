using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Transforms;

internal static partial class TransformLog
{
    [LoggerMessage(1, LogLevel.Information, "{Transform}: {Total} documents of {Collection} to look at")]
    public static partial void Begins(ILogger logger, string transform, string collection, long total);

    [LoggerMessage(2, LogLevel.Information, "{Transform}: going on after {Documents} of {Total} documents of {Collection}")]
    public static partial void Resumes(ILogger logger, string transform, string collection, long documents, long total);

    [LoggerMessage(3, LogLevel.Information, "{Transform}: {Documents} of {Total} documents of {Collection}, {PerSecond:0} a second")]
    public static partial void Progress(ILogger logger, string transform, string collection, long documents, long total, double perSecond);

    [LoggerMessage(4, LogLevel.Information, "{Transform}: {Documents} documents of {Collection} rewritten in {Batches} batches and {DurationMs:0} ms; "
        + "{Samples} samples are right")]
    public static partial void Done(ILogger logger, string transform, string collection, long documents, int batches, double durationMs, int samples);

    [LoggerMessage(5, LogLevel.Warning, "{Transform}: the document {Id} of {Collection} could not be rewritten: {Reason}")]
    public static partial void Undone(ILogger logger, string transform, string collection, string id, string reason);

    [LoggerMessage(6, LogLevel.Warning, "{Transform}: the document {Id} of {Collection} has neither an embedded document nor an array where the path leads, "
        + "and stays as it is there")]
    public static partial void Obstructed(ILogger logger, string transform, string collection, string id);

    [LoggerMessage(7, LogLevel.Warning, "{Transform}: in {Documents} documents of {Collection} something that is neither an embedded document nor an array "
        + "stands where the path leads; they stay as they are there")]
    public static partial void ObstructedInAll(ILogger logger, string transform, string collection, long documents);

    [LoggerMessage(8, LogLevel.Warning, "{Transform}: {Documents} documents of {Collection} were written in the old form since the run came by; repeat it in "
        + "a migration after the programs that write it are gone")]
    public static partial void Newer(ILogger logger, string transform, string collection, long documents);
}
