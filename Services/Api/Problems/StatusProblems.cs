using Microsoft.AspNetCore.Diagnostics;

namespace Platform.Api.Problems;

/// <summary>
/// Gives a sentence to the answers that have none: those of the routing. Whatever the caller accepts, problem details
/// are what there is.
/// </summary>
internal static class StatusProblems
{
    public static Task WriteAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        return ApiProblem.Of(http.Response.StatusCode, TitleOf(http.Response.StatusCode)).ExecuteAsync(http);
    }

    /// <summary>What a status means, in a sentence.</summary>
    /// <param name="status">The HTTP status code.</param>
    public static string TitleOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "The request needs a token.",
        StatusCodes.Status403Forbidden => "The caller may not do this.",
        StatusCodes.Status404NotFound => "There is nothing at this path.",
        StatusCodes.Status405MethodNotAllowed => "The method is not allowed here.",
        StatusCodes.Status408RequestTimeout => "The request took too long to arrive.",
        StatusCodes.Status413PayloadTooLarge => "The request body is too large.",
        StatusCodes.Status415UnsupportedMediaType => "The body is of a type that is not read here.",
        < StatusCodes.Status500InternalServerError => "The request is malformed.",
        _ => "The request failed.",
    };
}
