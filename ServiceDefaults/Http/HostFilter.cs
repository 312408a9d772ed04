using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Platform.ServiceDefaults.Http;

/// <summary>
/// Refuses requests that were sent to another host than ours, which is how a page in a browser reaches a service behind a firewall
/// (DNS rebinding), and how wrong addresses come into links and caches. Health endpoints are left out: probes ask by address, and
/// <see cref="HealthEndpointOptions.Hosts"/> is for them.
/// </summary>
/// <remarks>The framework's own filter, which answers with a page of HTML, is told to let everything pass.</remarks>
internal sealed class HostFilter(RequestDelegate next, IOptions<HostFilterOptions> options)
{
    private readonly IList<StringSegment>? _patterns = options.Value.AllowsAll ? null : [.. options.Value.Hosts.Select(host => new StringSegment(host))];

    public Task InvokeAsync(HttpContext http)
    {
        if (_patterns is null || http.GetEndpoint()?.Metadata.GetMetadata<OperationsEndpoint>() is not null || IsOurs(http.Request.Host, _patterns))
        {
            return next(http);
        }

        return Results.Problem(
            statusCode: StatusCodes.Status400BadRequest,
            title: "The request is for another host.",
            detail: "The header Host must name a host that this service is set up for (AllowedHosts).").ExecuteAsync(http);
    }

    private static bool IsOurs(HostString host, IList<StringSegment> patterns) =>
        host is { HasValue: true, Host.Length: > 0 } && HostString.MatchesAny(host.Host, patterns);
}
