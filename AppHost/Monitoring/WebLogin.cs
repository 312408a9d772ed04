using System.Text.Json.Nodes;

namespace Platform.AppHost.Monitoring;

/// <summary>The file by which Prometheus and Alertmanager know who may ask them.</summary>
/// <remarks><see href="https://prometheus.io/docs/prometheus/latest/configuration/https/"/></remarks>
internal static class WebLogin
{
    /// <summary>The file.</summary>
    public const string File = "web.yml";

    // Each wrong password costs the server this; right ones it remembers.
    private const int Work = 8;

    /// <summary>A login by name and password, of which the file has the hash.</summary>
    /// <param name="user">The name.</param>
    /// <param name="password">The password.</param>
    public static JsonObject Create(string user, string password) => new()
    {
        ["basic_auth_users"] = new JsonObject { [user] = BCrypt.Net.BCrypt.HashPassword(password, Work) },
    };
}
