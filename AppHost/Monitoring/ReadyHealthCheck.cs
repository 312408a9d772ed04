using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.AppHost.Monitoring;

/// <summary>Healthy when the server says to who logs in that it is ready.</summary>
internal sealed class ReadyHealthCheck(MonitoringServerResource server) : IHealthCheck, IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{await server.Address.GetValueAsync(cancellationToken)}/-/ready");
            var login = $"{MonitoringServerResource.User}:{await server.Password.GetValueAsync(cancellationToken)}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(login)));
            using var response = await _http.SendAsync(request, cancellationToken);
            return response.IsSuccessStatusCode
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{server.Name} answers {(int)response.StatusCode}.");
        }
        catch (Exception exception) when (
            exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return HealthCheckResult.Unhealthy($"{server.Name} does not answer.", exception);
        }
    }

    public void Dispose() => _http.Dispose();
}
