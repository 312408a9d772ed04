using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Platform.Data.Validation;

namespace Platform.Api.Problems;

/// <summary>
/// The API's error answers, as problem details (<see href="https://www.rfc-editor.org/rfc/rfc9457"/>). <c>errors</c>
/// has one entry per wrong place, in the same form whether the request was wrong or the database refused its data.
/// </summary>
public static class ApiProblem
{
    /// <summary>How many seconds a caller is asked to wait when a server behind the API is away.</summary>
    public const int RetryAfterSeconds = 5;

    /// <summary>400: the request is malformed.</summary>
    /// <param name="errors">The wrong fields.</param>
    public static ProblemHttpResult Malformed(RequestErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        return Of(StatusCodes.Status400BadRequest, "The request is malformed.", detail: null, errors.All);
    }

    /// <summary>404: something the request names does not exist (for this tenant).</summary>
    /// <param name="errors">What does not exist.</param>
    public static ProblemHttpResult NotFound(RequestErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        return Of(StatusCodes.Status404NotFound, "Not found.", detail: null, errors.All);
    }

    /// <summary>404: one thing the request names does not exist (for this tenant).</summary>
    /// <param name="parameter">The parameter that names it.</param>
    /// <param name="sentence">What does not exist.</param>
    public static ProblemHttpResult NotFound(string parameter, string sentence)
    {
        var errors = new RequestErrors();
        errors.Parameter(parameter, ErrorCodes.Unknown, sentence);
        return NotFound(errors);
    }

    /// <summary>409: a key that names one thing is taken by another; <c>key</c> has the key.</summary>
    /// <param name="refusal">What the database said.</param>
    public static ProblemHttpResult Duplicate(DuplicateKeyException refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        var errors = new RequestErrors();
        errors.Body(refusal.Violations);
        return Of(
            StatusCodes.Status409Conflict,
            "The key is taken.",
            detail: null,
            errors.All,
            new Dictionary<string, object?>
            {
                ["key"] = refusal.Key.ToDictionary(field => field.Key, field => field.Value?.ToString()),
            });
    }

    /// <summary>
    /// 422: the database refused the data, since it breaks rules; the pointers are those of the data.
    /// </summary>
    /// <param name="refusal">What the database said.</param>
    public static ProblemHttpResult Refused(DocumentRefusedException refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        var errors = new RequestErrors();
        errors.Body(refusal.Violations);
        return Of(
            StatusCodes.Status422UnprocessableEntity, "The data breaks a rule.", "Nothing was changed.", errors.All);
    }

    /// <summary>503: the request cannot be served now; sets <c>Retry-After</c>.</summary>
    /// <param name="http">The request.</param>
    /// <param name="title">What is wrong, the same sentence for every occurrence.</param>
    /// <param name="detail">What the caller can do.</param>
    /// <param name="retryAfter">
    /// When to try again, rounded up to seconds; null for <see cref="RetryAfterSeconds"/>.
    /// </param>
    public static ProblemHttpResult Unavailable(
        HttpContext http, string title, string detail, TimeSpan? retryAfter = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        RetryAfter(http, retryAfter ?? TimeSpan.FromSeconds(RetryAfterSeconds));
        return Of(StatusCodes.Status503ServiceUnavailable, title, detail);
    }

    /// <summary>
    /// 429: the caller, or all callers of a tenant, sent more than they may; sets <c>Retry-After</c>.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="after">When to try again, rounded up to seconds.</param>
    public static ProblemHttpResult TooMany(HttpContext http, TimeSpan after)
    {
        ArgumentNullException.ThrowIfNull(http);
        var seconds = RetryAfter(http, after);
        return Of(
            StatusCodes.Status429TooManyRequests,
            "There are too many requests from this client or for this tenant.",
            string.Create(CultureInfo.InvariantCulture, $"Try again in {seconds} s."));
    }

    /// <summary>A problem with a status code of its own.</summary>
    /// <param name="status">The HTTP status code.</param>
    /// <param name="title">What is wrong, the same sentence for every occurrence.</param>
    /// <param name="detail">What is wrong this time.</param>
    /// <param name="errors">The fields concerned.</param>
    /// <param name="extensions">Further members.</param>
    public static ProblemHttpResult Of(
        int status,
        string title,
        string? detail = null,
        IReadOnlyCollection<ProblemError>? errors = null,
        IReadOnlyDictionary<string, object?>? extensions = null)
    {
        var problem = new ProblemDetails { Status = status, Title = title, Detail = detail };
        if (errors is { Count: > 0 })
        {
            problem.Extensions["errors"] = errors;
        }

        foreach (var (name, value) in extensions ?? new Dictionary<string, object?>())
        {
            problem.Extensions[name] = value;
        }

        return TypedResults.Problem(problem);
    }

    private static int RetryAfter(HttpContext http, TimeSpan after)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(after.TotalSeconds));
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return seconds;
    }
}
