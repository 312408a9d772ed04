using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Health;

/// <summary>
/// Healthy when a GET gives the expected status code. Asks the process itself where its port is known: the proxy before it would
/// accept the connection and keep it until the process listens.
/// </summary>
internal sealed class EndpointHttpHealthCheck(EndpointReference endpoint, string path, int statusCode) : IHealthCheck
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private static readonly HttpClient s_http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public string Path { get; } = path.StartsWith('/') ? path : "/" + path;

    public int StatusCode { get; } = statusCode;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!endpoint.IsAllocated)
        {
            return HealthCheckResult.Unhealthy($"The port of the endpoint '{endpoint.EndpointName}' is not known yet.");
        }

        var allocated = endpoint.EndpointAnnotation.AllocatedEndpoint!;
        var direct = int.TryParse(allocated.TargetPortExpression, CultureInfo.InvariantCulture, out var target);
        var uri = new UriBuilder(endpoint.Scheme, allocated.Address, direct ? target : allocated.Port) { Path = Path }.Uri;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        try
        {
            using var response = await s_http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            return (int)response.StatusCode == StatusCode
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"GET {uri} gave {(int)response.StatusCode} instead of {StatusCode}.");
        }
        catch (HttpRequestException ex)
        {
            return HealthCheckResult.Unhealthy($"GET {uri} failed: {ex.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"GET {uri} gave no answer within {s_timeout.TotalSeconds} s.");
        }
    }
}
