using System.Globalization;
using StackExchange.Redis;

namespace Platform.Caching.Servers;

/// <summary>What a Redis server says of itself. <see href="https://redis.io/docs/latest/commands/info/"/></summary>
public sealed class ServerInfo
{
    private readonly Dictionary<string, string> _values;

    private ServerInfo(Dictionary<string, string> values) => _values = values;

    /// <summary>Asks a server, by <c>INFO</c>. The client sends it with <see cref="ConfigurationOptions.AllowAdmin"/> alone.</summary>
    /// <param name="server">The server.</param>
    /// <exception cref="RedisException">It does not answer, or the user may not ask.</exception>
    public static async Task<ServerInfo> OfAsync(IServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        return new((await server.InfoAsync()).SelectMany(section => section).DistinctBy(pair => pair.Key)
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal));
    }

    /// <summary>What it says of something; empty when it says nothing.</summary>
    public string Text(string key) => _values.GetValueOrDefault(key, "");

    /// <summary>Whether it says exactly this.</summary>
    public bool Says(string key, string value) => _values.GetValueOrDefault(key) == value;

    /// <summary>A number; 0 when it says none.</summary>
    public double Number(string key) => double.TryParse(Text(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>A whole number; 0 when it says none.</summary>
    public long Whole(string key) => long.TryParse(Text(key), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
