using Microsoft.Extensions.Logging;

namespace Platform.Migrator.Transforms;

internal static partial class TransformLog
{
    [LoggerMessage(1, LogLevel.Information, "{Transform}: {Total} documents of {Collection} to rewrite")]
    public static partial void Begins(ILogger logger, string transform, string collection, long total);

    [LoggerMessage(2, LogLevel.Information, "{Transform}: going on after {Documents} of {Total} documents of {Collection}")]
    public static partial void Resumes(ILogger logger, string transform, string collection, long documents, long total);

    [LoggerMessage(3, LogLevel.Information, "{Transform}: {Documents} of {Total} documents of {Collection}, {PerSecond:0} a second")]
    public static partial void Progress(ILogger logger, string transform, string collection, long documents, long total, double perSecond);

    [LoggerMessage(4, LogLevel.Information, "{Transform}: {Documents} documents of {Collection} rewritten in {Batches} batches and {DurationMs:0} ms; none is left, {Samples} samples are right")]
    public static partial void Done(ILogger logger, string transform, string collection, long documents, int batches, double durationMs, int samples);
}
