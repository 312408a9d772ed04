using StackExchange.Redis;

namespace Platform.AppHost.Redis;

internal static class RedisUri
{
    /// <summary>
    /// The URI by which other clients, and <c>redis-cli -u</c>, reach what a connection string of StackExchange.Redis
    /// names.
    /// </summary>
    /// <param name="connectionString">For example <c>127.0.0.1:6379,password=secret</c>.</param>
    /// <returns>For example <c>redis://default:secret@127.0.0.1:6379</c>; null when no server is named.</returns>
    public static string? Of(string connectionString)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        // redis-cli takes an empty user for one of that name:
        // https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
        var user = options.User is { Length: > 0 } named ? named : "default";
        var login = options.Password is { Length: > 0 } password ? $"{user}:{Uri.EscapeDataString(password)}@" : "";
        return options.EndPoints.Count == 0
            ? null
            : $"{(options.Ssl ? "rediss" : "redis")}://{login}{EndPointCollection.ToString(options.EndPoints[0])}";
    }
}
