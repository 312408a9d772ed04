using System.Globalization;

namespace Platform.Caching.Servers;

/// <summary>The address of a Redis, as people have it.</summary>
public static class RedisAddress
{
    /// <summary>
    /// The connection string of StackExchange.Redis for an address, which is one already, or a URI as <c>./platform info redis</c> prints it.
    /// </summary>
    /// <param name="address">For example <c>redis://default:secret@127.0.0.1:6379</c>.</param>
    /// <exception cref="ArgumentException">It begins as a URI and is none.</exception>
    public static string ConnectionStringOf(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.StartsWith("redis://", StringComparison.Ordinal) && !address.StartsWith("rediss://", StringComparison.Ordinal))
        {
            return address;
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri))
        {
            throw new ArgumentException("The address of Redis is no URI such as redis://default:secret@127.0.0.1:6379.");
        }

        var login = uri.UserInfo.Split(':', 2);
        var port = uri.Port > 0 ? uri.Port : 6379;
        return string.Create(CultureInfo.InvariantCulture, $"{uri.Host}:{port},ssl={uri.Scheme == "rediss"}")
            + (login.Length == 2 ? $",user={Uri.UnescapeDataString(login[0])},password={Uri.UnescapeDataString(login[1])}" : "");
    }
}
