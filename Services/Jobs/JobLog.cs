using Microsoft.Extensions.Logging;

namespace Platform.Jobs;

internal static partial class JobLog
{
    [LoggerMessage(1, LogLevel.Error, "Job {Job} failed")]
    public static partial void Failed(ILogger logger, Exception exception, string job);

    [LoggerMessage(2, LogLevel.Warning, "Job {Job} was cancelled")]
    public static partial void Cancelled(ILogger logger, string job);

    [LoggerMessage(3, LogLevel.Error, "Job {Job} failed: {Sentence}")]
    public static partial void Told(ILogger logger, string job, string sentence);
}
