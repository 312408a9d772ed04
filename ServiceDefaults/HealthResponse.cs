using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.ServiceDefaults;

/// <summary>Writes a health report as JSON: <c>{"status":"Healthy"}</c>, with one entry per check for a developer on this machine.</summary>
internal static class HealthResponse
{
    public static Task WriteAsync(HttpContext http, HealthReport report, bool isDevelopment)
    {
        // Descriptions and exceptions can name hosts and users, so they stay on the developer's machine.
        var detailed = isDevelopment && LoopbackOnly.IsFromHere(http);
        http.Response.StatusCode = report.Status == HealthStatus.Unhealthy
            ? StatusCodes.Status503ServiceUnavailable
            : StatusCodes.Status200OK;
        http.Response.Headers.CacheControl = "no-store";

        var body = detailed
            ? new Body(report.Status.ToString(), report.Entries.ToDictionary(
                entry => entry.Key,
                entry => new Check(
                    entry.Value.Status.ToString(),
                    entry.Value.Description ?? entry.Value.Exception?.Message,
                    Math.Round(entry.Value.Duration.TotalMilliseconds, 1))))
            : new Body(report.Status.ToString(), null);
        return http.Response.WriteAsJsonAsync(body, Json, http.RequestAborted);
    }

    private static readonly System.Text.Json.JsonSerializerOptions Json = new(System.Text.Json.JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private sealed record Body(string Status, IReadOnlyDictionary<string, Check>? Checks);

    private sealed record Check(string Status, string? Description, double DurationMs);
}
