using Microsoft.Net.Http.Headers;
using Platform.Api.Problems;

namespace Platform.Api.Requests;

/// <summary>
/// Stands before endpoints that read a body: 415 unless it is said to be JSON, in UTF-8 (<see
/// href="https://www.rfc-editor.org/rfc/rfc8259#section-8.1"/>) and not encoded. (The routing refuses other types, and
/// lets pass what has none.)
/// </summary>
internal sealed class RequireJson : IEndpointFilter
{
    private const string Json = "application/json";

    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var errors = new RequestErrors();
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase))
        {
            http.Response.Headers.Accept = Json;
            errors.Header(HeaderNames.ContentType, ErrorCodes.MediaType, $"Must be {Json}.");
        }
        else if (type.Parameters.Any(parameter => parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
            && !HeaderUtilities.RemoveQuotes(parameter.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            http.Response.Headers.Accept = Json;
            errors.Header(HeaderNames.ContentType, ErrorCodes.Charset, "Must have no charset but utf-8.");
        }

        if (http.Request.Headers.ContentEncoding is { Count: > 0 } encodings
            && !encodings.ToString().Trim().Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            http.Response.Headers.AcceptEncoding = "identity";
            errors.Header(
                HeaderNames.ContentEncoding, ErrorCodes.Encoding, "Must be left out: bodies are read as they are.");
        }

        return errors.None
            ? next(context)
            : ValueTask.FromResult<object?>(ApiProblem.Of(
                StatusCodes.Status415UnsupportedMediaType,
                StatusProblems.TitleOf(StatusCodes.Status415UnsupportedMediaType), errors: errors.All));
    }
}
