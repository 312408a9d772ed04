using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Platform.Mongo.Connections;
using Platform.Data.Validation;

namespace Platform.Api.Problems;

/// <summary>
/// Turns exceptions into problem details: 503 with <c>Retry-After</c> when the database is away, the status that the
/// server itself chose for a request it could not read, 409 and 422 for data that the database refused, else 500. The
/// exception goes to the log and never to the caller.
/// </summary>
internal sealed partial class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(
        HttpContext http, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is ConnectionResetException
            || exception is OperationCanceledException or IOException && http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to read an answer; 499 is for the log.
            http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        // The middleware has taken the endpoint off the request.
        var endpoint = http.Features.Get<IExceptionHandlerFeature>()?.Endpoint?.DisplayName;
        var problem = exception switch
        {
            DocumentRefusedException refusal => ApiProblem.Refused(refusal),
            DuplicateKeyException duplicate => ApiProblem.Duplicate(duplicate),
            BadHttpRequestException bad => ApiProblem.Of(bad.StatusCode, StatusProblems.TitleOf(bad.StatusCode)),
            // Past in moments, other than a database that is away.
            _ when IsBusy(exception) => ApiProblem.Unavailable(
                http, "The service is busy.", "Try again in a moment.", TimeSpan.FromSeconds(1)),
            _ when MongoErrors.IsAway(exception) => ApiProblem.Unavailable(
                http, "The database is not available.", "Try again in a few seconds.",
                (exception as DatabaseUnavailableException)?.RetryAfter),
            _ => ApiProblem.Of(StatusCodes.Status500InternalServerError, "The request failed."),
        };

        switch (problem.StatusCode)
        {
            // In a flood one line each would be another; the metrics count them.
            case StatusCodes.Status503ServiceUnavailable when exception is not DatabaseBusyException:
                DatabaseAway(logger, endpoint, FirstLine(exception.Message));
                break;
            case StatusCodes.Status422UnprocessableEntity:
                Refused(logger, endpoint, exception.Message);
                break;
            case StatusCodes.Status500InternalServerError:
                Failed(logger, exception, endpoint);
                break;
        }

        await problem.ExecuteAsync(http);
        return true;
    }

    /// <summary>
    /// Answers a request that took too long: with a server behind the API that hangs, the same as one that is away.
    /// </summary>
    public static Task WriteTimeoutAsync(HttpContext http) =>
        ApiProblem.Unavailable(http, "The request took too long.", "Try again in a few seconds.").ExecuteAsync(http);

    private static bool IsBusy(Exception exception) =>
        exception is DatabaseBusyException || MongoErrors.IsPoolExhausted(exception);

    // The driver's messages go on with the stack traces of its heartbeats.
    private static string FirstLine(string message)
    {
        var line = message.AsSpan();
        line = line[..Math.Min(line.IndexOfAny('\r', '\n') is >= 0 and var end ? end : line.Length, 200)];
        return line.ToString();
    }

    [LoggerMessage(1, LogLevel.Warning, "{Endpoint}: the database is away: {Reason}")]
    private static partial void DatabaseAway(ILogger logger, string? endpoint, string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Endpoint}: {Refusal}")]
    private static partial void Refused(ILogger logger, string? endpoint, string refusal);

    [LoggerMessage(2, LogLevel.Error, "{Endpoint} failed")]
    private static partial void Failed(ILogger logger, Exception exception, string? endpoint);
}
