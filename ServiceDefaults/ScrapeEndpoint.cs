using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Monitoring;
using Platform.ServiceDefaults.Http;

namespace Platform.ServiceDefaults;

/// <summary>The metrics of a service in Prometheus' form, for who has the key.</summary>
internal static class ScrapeEndpoint
{
    /// <summary>Maps <c>/metrics</c> where there is a key (<see cref="ScrapeOptions"/>): 401 without it.</summary>
    public static void Map(WebApplication app)
    {
        var key = app.Services.GetRequiredService<IOptions<ScrapeOptions>>().Value.ScrapeKey;
        if (key.Length == 0)
        {
            return;
        }

        var expected = new ExpectedAuthorization($"Bearer {key}");
        var endpoint = app.MapPrometheusScrapingEndpoint(MonitorPaths.Metrics);
        // Prometheus asks every few seconds for ever.
        endpoint.DisableHttpMetrics();
        endpoint.DisableRateLimiting();
        endpoint.AllowAnonymous();
        endpoint.WithMetadata(new OperationsEndpoint());
        endpoint.Add(builder =>
        {
            var next = builder.RequestDelegate!;
            builder.RequestDelegate = http =>
            {
                if (expected.IsShown(http))
                {
                    return next(http);
                }

                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                http.Response.Headers.WWWAuthenticate = "Bearer";
                return Task.CompletedTask;
            };
        });
    }
}
