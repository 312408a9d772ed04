using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Platform.Monitoring;
using Platform.ServiceDefaults.Http;

namespace Platform.Monitor.Page;

/// <summary>
/// Lets in who has the login: as for Prometheus and Alertmanager, HTTP's own. <see href="https://www.rfc-editor.org/rfc/rfc7617"/>
/// What changes something wants a header, too, which pages of others cannot send.
/// </summary>
/// <param name="password">The password.</param>
internal sealed class PageLogin(string password)
{
    /// <summary>The header that requests have which change something.</summary>
    public const string ChangeHeader = "X-Platform-Page";

    private readonly ExpectedAuthorization _expected =
        new($"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{MonitorPaths.User}:{password}"))}");

    /// <summary>Guards endpoints.</summary>
    public void Guard(IEndpointConventionBuilder endpoints) => endpoints.Add(endpoint =>
    {
        var next = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = http =>
        {
            if (!_expected.IsShown(http))
            {
                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                http.Response.Headers.WWWAuthenticate = "Basic realm=\"platform\", charset=\"UTF-8\"";
                return Task.CompletedTask;
            }

            if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method) && !http.Request.Headers.ContainsKey(ChangeHeader))
            {
                http.Response.StatusCode = StatusCodes.Status403Forbidden;
                return Task.CompletedTask;
            }

            return next(http);
        };
    });
}
