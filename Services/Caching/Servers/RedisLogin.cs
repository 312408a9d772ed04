using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Platform.Caching.Servers;

/// <summary>Logins to Redis with passwords that are replaced while clients run.</summary>
public static class RedisLogin
{
    /// <summary>
    /// Has a client log in with the first password of a file, read for each new connection, in place of the one that its connection string has.
    /// </summary>
    /// <param name="options">The client's options, which name the user.</param>
    /// <param name="passwordFile">The file; null or empty: the connection string's password stays.</param>
    /// <exception cref="InvalidDataException">It cannot be read, or has no password: the message says so in a sentence.</exception>
    public static void LogInBy(this ConfigurationOptions options, string? passwordFile)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (passwordFile is { Length: > 0 })
        {
            var file = new PasswordFile(passwordFile);
            file.Read();
            (options.Password, options.Defaults) = (null, new FilePassword(file));
        }
    }

    private sealed class FilePassword(PasswordFile file) : DefaultOptionsProvider
    {
        public override string Password => file.Read()[0];
    }
}
