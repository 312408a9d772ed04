using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Audit;
using Platform.Jobs;
using Platform.Monitoring;

namespace Platform.Monitor.Page;

/// <summary>Records in the audit log, where there is one, what is done by the page. What cannot be recorded is not begun.</summary>
internal sealed partial class PageAudit(IOptions<AuditSettings> settings, ILogger<PageAudit> logger)
{
    private const string Command = "monitor page";

    /// <summary>Does something, and records that it begins and how it ended.</summary>
    /// <param name="type">The kind of event: <c>atype</c>.</param>
    /// <param name="arguments">What it is done with.</param>
    /// <param name="work">Does it.</param>
    /// <returns>Its answer; 503 when it was not begun.</returns>
    public async Task<IResult> RunAsync(string type, IReadOnlyList<string> arguments, Func<Task<IResult>> work)
    {
        if (!settings.Value.IsOn)
        {
            return await work();
        }

        if (!await TryRecordAsync(JobAudit.Started, 0))
        {
            return Results.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "The audit log cannot be written, so this is not done.");
        }

        var result = StatusCodes.Status500InternalServerError;
        try
        {
            var answer = await work();
            result = answer is IStatusCodeHttpResult { StatusCode: { } status and >= 400 } ? status : 0;
            return answer;
        }
        finally
        {
            await TryRecordAsync(JobAudit.Ended, result);
        }

        async Task<bool> TryRecordAsync(string state, int code)
        {
            try
            {
                foreach (var found in await JobAudit.RecordAsync(
                    settings.Value, type, (MonitorPaths.User, "$page"), Command, arguments, state, code))
                {
                    LogFound(found);
                }

                return true;
            }
            catch (AuditUnavailableException exception)
            {
                LogUnavailable(exception.Message.ReplaceLineEndings(" "));
                return false;
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Finding}")]
    private partial void LogFound(string finding);

    [LoggerMessage(LogLevel.Error, "{Reason}")]
    private partial void LogUnavailable(string reason);
}
