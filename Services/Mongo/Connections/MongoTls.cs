using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;

namespace Platform.Mongo.Connections;

/// <summary>Which servers a client trusts. The driver passes over the option <c>tlsCAFile</c> of connection strings, which other drivers read.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/connection-string-options/#tls-options"/></remarks>
public static class MongoTls
{
    private const string CaFile = "tlsCAFile";

    /// <summary>The settings of a client for a connection string, as the driver reads it and with its <c>tlsCAFile</c>.</summary>
    /// <param name="connectionString">The connection string.</param>
    /// <exception cref="InvalidDataException">That file cannot be read, or has no certificate: the message says so in a sentence.</exception>
    public static MongoClientSettings SettingsOf(string connectionString)
    {
        var settings = MongoClientSettings.FromConnectionString(connectionString);
        if (CaFileOf(new ConnectionString(connectionString)) is { Length: > 0 } file)
        {
            settings.Trust(TrustedAuthority.FromFile(file));
        }

        return settings;
    }

    /// <summary>Has a client trust an authority alone.</summary>
    /// <param name="settings">The client's settings.</param>
    /// <param name="authority">The authority.</param>
    public static void Trust(this MongoClientSettings settings, TrustedAuthority authority)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(authority);
        var tls = settings.SslSettings?.Clone() ?? new SslSettings();
        // The authority of a stack publishes no list of what it took back.
        (tls.ServerCertificateValidationCallback, tls.CheckCertificateRevocation) = (authority.IsTrusted, false);
        settings.SslSettings = tls;
    }

    internal static string? CaFileOf(ConnectionString connectionString) => connectionString.GetOption(CaFile);
}
