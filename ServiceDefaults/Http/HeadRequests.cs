using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Platform.ServiceDefaults.Http;

/// <summary>
/// Lets everything that is there to GET answer HEAD (<see href="https://www.rfc-editor.org/rfc/rfc9110#name-head"/>): endpoints, which know GET
/// alone, see a GET, and the server, which keeps what was sent, leaves the body out.
/// </summary>
internal sealed class HeadRequests(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext http)
    {
        http.Response.OnStarting(static state => AllowHead((HttpContext)state), http);
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await next(http);
            return;
        }

        http.Request.Method = HttpMethods.Get;
        try
        {
            await next(http);
        }
        finally
        {
            // Logs and metrics tell of what was sent.
            http.Request.Method = HttpMethods.Head;
        }
    }

    // 405 lists what an endpoint knows.
    private static Task AllowHead(HttpContext http)
    {
        if (http.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
            && http.Response.Headers.GetCommaSeparatedValues("Allow") is var allowed
            && allowed.Contains(HttpMethods.Get)
            && !allowed.Contains(HttpMethods.Head))
        {
            http.Response.Headers.Allow = new StringValues(string.Join(", ", [.. allowed, HttpMethods.Head]));
        }

        return Task.CompletedTask;
    }
}
