using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Platform.ServiceDefaults;

/// <summary>Hides an endpoint from callers on other machines by the connection's address, which a header cannot forge.</summary>
internal static class LoopbackOnly
{
    public static void Apply(IEndpointConventionBuilder endpoint) => endpoint.Add(builder =>
    {
        var next = builder.RequestDelegate!;
        builder.RequestDelegate = http =>
        {
            if (http.Connection.RemoteIpAddress is { } address && !IPAddress.IsLoopback(address))
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }

            return next(http);
        };
    });
}
