using Platform.Hosting.Security;
using StackExchange.Redis;

namespace Platform.AppHost.Security;

/// <summary>The AppHost as a client of its Redis.</summary>
internal static class RedisClient
{
    /// <summary>What a connection string of StackExchange.Redis ends with for a server that is reached by TLS, or not.</summary>
    /// <param name="resource">The server's resource.</param>
    public static string TlsOption(IResource resource) => resource.Encryption() is null ? "" : ",ssl=true";

    /// <summary>How the AppHost connects.</summary>
    /// <param name="redis">A server or a cluster.</param>
    /// <param name="name">How the server calls this client.</param>
    /// <param name="cancellationToken">Ends the wait for the connection string.</param>
    public static async Task<ConfigurationOptions> OptionsAsync(this IResourceWithConnectionString redis, string name, CancellationToken cancellationToken)
    {
        var options = ConfigurationOptions.Parse((await redis.GetConnectionStringAsync(cancellationToken))!);
        options.ClientName = name;
        options.Trust(redis.Encryption());
        return options;
    }

    /// <summary>Has the certificate of an encrypted resource checked; does nothing for another.</summary>
    public static void Trust(this ConfigurationOptions options, EncryptedInTransit? encrypted)
    {
        if (encrypted is not null)
        {
            (options.Ssl, options.CheckCertificateRevocation) = (true, false);
            options.CertificateValidation += encrypted.Authority.IsTrusted;
        }
    }
}
