using System.Globalization;
using MongoDB.Driver;
using MongoDB.Driver.Core.Compression;
using MongoDB.Driver.Core.Configuration;

namespace Platform.Mongo.Connections;

/// <summary>Carries <see cref="MongoOptions"/> from a connection string and to the driver.</summary>
public static class MongoOptionsExtensions
{
    private const int MaxWaiters = 100_000;

    /// <summary>Takes over what a connection string says explicitly; the rest stays.</summary>
    /// <param name="options">The options.</param>
    /// <param name="connectionString">The connection string.</param>
    /// <exception cref="MongoConfigurationException">It is not a MongoDB connection string.</exception>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/connection-string-options/"/></remarks>
    public static void ReadFrom(this MongoOptions options, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(options);
        var said = new ConnectionString(connectionString);
        options.MinPoolSize = said.MinPoolSize ?? options.MinPoolSize;
        options.MaxPoolSize = said.MaxPoolSize ?? options.MaxPoolSize;
        if (said.MaxPoolSize < options.MinPoolSize && said.MinPoolSize is null)
        {
            // Who lowers the maximum alone did not ask for our minimum.
            options.MinPoolSize = said.MaxPoolSize.Value;
        }

        options.MaxConnecting = said.MaxConnecting ?? options.MaxConnecting;
        options.WaitQueueTimeout = said.WaitQueueTimeout ?? options.WaitQueueTimeout;
        options.ConnectTimeout = said.ConnectTimeout ?? options.ConnectTimeout;
        options.SocketTimeout = said.SocketTimeout ?? options.SocketTimeout;
        options.ServerSelectionTimeout = said.ServerSelectionTimeout ?? options.ServerSelectionTimeout;
        options.HeartbeatInterval = said.HeartbeatInterval ?? options.HeartbeatInterval;
        options.MaxIdleTime = said.MaxIdleTime ?? options.MaxIdleTime;
        options.ReadPreference = Name(said.ReadPreference) ?? options.ReadPreference;
        options.ReadConcern = Name(said.ReadConcernLevel) ?? options.ReadConcern;
        options.WriteConcern = said.W?.ToString() ?? options.WriteConcern;
        options.Journal = said.Journal ?? options.Journal;
        options.RetryReads = said.RetryReads ?? options.RetryReads;
        options.RetryWrites = said.RetryWrites ?? options.RetryWrites;
        options.ApplicationName = said.ApplicationName ?? options.ApplicationName;
        options.Tls = said.Tls ?? options.Tls;
        options.TlsCaFile = MongoTls.CaFileOf(said) ?? options.TlsCaFile;
        if (said.Compressors is { Count: > 0 } compressors)
        {
            options.Compressors = string.Join(',', compressors.Select(compressor => Name(compressor.Type)));
        }
    }

    /// <summary>
    /// Sets the driver's settings. What has no option, such as servers and credentials, stays; whose certificates are trusted is <see cref="MongoTls"/>'s.
    /// </summary>
    /// <param name="options">The options, valid.</param>
    /// <param name="settings">The driver's settings.</param>
    public static void ApplyTo(this MongoOptions options, MongoClientSettings settings)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(settings);
        settings.MinConnectionPoolSize = options.MinPoolSize;
        settings.MaxConnectionPoolSize = options.MaxPoolSize;
        settings.MaxConnecting = options.MaxConnecting;
        // Five for each connection by default, and the next gets an error at once: jobs, which have no gate, would meet it.
        // Here waiting is bounded by time, and for requests the gate bounds the number.
#pragma warning disable CS0618 // Announced to go one day; until then it counts.
        settings.WaitQueueSize = MaxWaiters;
#pragma warning restore CS0618
        settings.WaitQueueTimeout = options.WaitQueueTimeout;
        settings.ConnectTimeout = options.ConnectTimeout;
        settings.SocketTimeout = options.SocketTimeout;
        settings.ServerSelectionTimeout = options.ServerSelectionTimeout;
        settings.HeartbeatInterval = options.HeartbeatInterval;
        settings.MaxConnectionIdleTime = options.MaxIdleTime;
        settings.RetryReads = options.RetryReads;
        settings.RetryWrites = options.RetryWrites;
        settings.ApplicationName = options.ApplicationName.Length > 0 ? options.ApplicationName : null;
        settings.UseTls = options.Tls;

        var mode = Enum.Parse<ReadPreferenceMode>(options.ReadPreference, ignoreCase: true);
        if (settings.ReadPreference.ReadPreferenceMode != mode)
        {
            // Tags and staleness of the connection string belong to its own mode.
            settings.ReadPreference = new ReadPreference(mode);
        }

        settings.ReadConcern = new ReadConcern(Enum.Parse<ReadConcernLevel>(options.ReadConcern, ignoreCase: true));
        WriteConcern.WValue members = int.TryParse(options.WriteConcern, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new WriteConcern.WCount(count)
            : new WriteConcern.WMode(options.WriteConcern);
        // Without acknowledgement there is nothing to journal, and the two together are an error.
        settings.WriteConcern = settings.WriteConcern.With(w: members, journal: options.Journal ? true : null);
        settings.Compressors =
        [
            .. options.Compressors.Split(',', StringSplitOptions.RemoveEmptyEntries)
                .Select(name => settings.Compressors.FirstOrDefault(known => Name(known.Type) == name)
                    ?? new CompressorConfiguration(Enum.Parse<CompressorType>(name == "zstd" ? nameof(CompressorType.ZStandard) : name, ignoreCase: true))),
        ];
    }

    // As in connection strings: primaryPreferred, majority.
    private static string? Name<TEnum>(TEnum? value)
        where TEnum : struct, Enum
    {
        var text = value?.ToString();
        return text is null ? null : char.ToLowerInvariant(text[0]) + text[1..];
    }

    private static string Name(CompressorType type) => type == CompressorType.ZStandard ? "zstd" : Name<CompressorType>(type)!;
}
