using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Platform.ServiceDefaults;

/// <summary>Hides an endpoint from callers on other machines by the connection's address, which a header cannot forge.</summary>
public static class LoopbackOnly
{
    /// <summary>Whether a request comes from this machine; what has no address comes from this process.</summary>
    /// <param name="http">The request.</param>
    public static bool IsFromHere(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address);
    }

    /// <summary>Answers callers on other machines with 404.</summary>
    /// <param name="endpoint">The endpoint.</param>
    public static void Apply(IEndpointConventionBuilder endpoint) => endpoint.Add(builder =>
    {
        var next = builder.RequestDelegate!;
        builder.RequestDelegate = http =>
        {
            if (!IsFromHere(http))
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }

            return next(http);
        };
    });
}
