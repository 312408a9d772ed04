using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Platform.Gateway.Postgres;

/// <summary>
/// Where PostgreSQL is and as whom to connect, as a connection string says: <c>Host</c>, <c>Port</c>, <c>Database</c>, <c>Username</c>,
/// <c>Password</c>, <c>Application Name</c>, <c>Options</c>, <c>Search Path</c> and <c>Timezone</c>, in any case and with or without spaces.
/// </summary>
internal sealed class PostgresSettings
{
    private const int DefaultPort = 5432;

    private static readonly Dictionary<string, string> s_keys = new(StringComparer.OrdinalIgnoreCase)
    {
        ["server"] = "host", ["userid"] = "username", ["uid"] = "username", ["pwd"] = "password",
        ["host"] = "host", ["port"] = "port", ["database"] = "database", ["username"] = "username", ["password"] = "password",
        ["applicationname"] = "applicationname", ["options"] = "options", ["searchpath"] = "searchpath", ["timezone"] = "timezone", ["sslmode"] = "sslmode",
    };

    private readonly Dictionary<string, string> _settings;
    private readonly int _port;

    private PostgresSettings(Dictionary<string, string> settings, int port)
    {
        _settings = settings;
        _port = port;
    }

    /// <summary>The role to log in as.</summary>
    public string User => Get("username") ?? Environment.UserName;

    /// <summary>Its password, if the server asks for one.</summary>
    public string? Password => Get("password");

    /// <summary>How long connecting and logging in may take. Default 5 s.</summary>
    public TimeSpan Timeout { get; private init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same server by a connection that streams WAL as well as it runs statements.</summary>
    public PostgresSettings ForReplication() => new(_settings, _port) { Replicates = true };

    /// <summary>Whether connections may stream WAL.</summary>
    public bool Replicates { get; private init; }

    /// <summary>The parameters of the start-up message.</summary>
    public IEnumerable<KeyValuePair<string, string>> Parameters
    {
        get
        {
            yield return new("user", User);
            yield return new("database", Get("database") ?? User);
            yield return new("client_encoding", "UTF8");
            yield return new("application_name", Get("applicationname") ?? "documentdb-gateway");
            // Validators grow when schemas are rewritten into what the backend knows. Writes that wait for each other are told apart soon,
            // because one of them is repeated at once.
            yield return new("options", $"{Get("options")} -c documentdb.maxSchemaValidatorSize=1048576 -c deadlock_timeout=100ms".TrimStart());
            if (Replicates)
            {
                yield return new("replication", "database");
            }

            if (Get("searchpath") is { } path)
            {
                yield return new("search_path", path);
            }

            if (Get("timezone") is { } zone)
            {
                yield return new("TimeZone", zone);
            }
        }
    }

    /// <summary>
    /// Reads a connection string. Throws <see cref="ArgumentException"/> with a sentence when it is none, or asks for what is not
    /// supported: several hosts, or TLS (PostgreSQL is reached by a Unix socket, or by TCP on the same machine).
    /// </summary>
    public static PostgresSettings Parse(string connectionString)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        foreach (string key in given.Keys)
        {
            settings[s_keys.GetValueOrDefault(key.Replace(" ", "", StringComparison.Ordinal))
                ?? throw new ArgumentException($"it has '{key}', which is not supported")] =
                given[key].ToString() ?? "";
        }

        if (settings.GetValueOrDefault("host") is not { Length: > 0 } host)
        {
            throw new ArgumentException("it names no Host");
        }

        if (host.Contains(',', StringComparison.Ordinal))
        {
            throw new ArgumentException("it names several hosts; there is one PostgreSQL");
        }

        if (settings.GetValueOrDefault("sslmode") is { } mode && !(mode.ToUpperInvariant() is "DISABLE" or "ALLOW" or "PREFER"))
        {
            throw new ArgumentException($"it asks for SSL Mode={mode}; PostgreSQL is reached by a Unix socket or by TCP on the same machine");
        }

        var port = DefaultPort;
        return !settings.TryGetValue("port", out var text)
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue)
            ? new PostgresSettings(settings, port)
            : throw new ArgumentException($"its Port '{text}' is no port");
    }

    /// <summary>Opens a socket to the server.</summary>
    public async ValueTask<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        var host = _settings["host"];
        EndPoint end = host[0] is '/' or '@'
            ? new UnixDomainSocketEndPoint(string.Create(CultureInfo.InvariantCulture, $"{(host[0] == '@' ? $"\0{host[1..]}" : host)}/.s.PGSQL.{_port}"))
            : IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, _port) : new DnsEndPoint(host, _port);
        var socket = end is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(end, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private string? Get(string key) => _settings.GetValueOrDefault(key) is { Length: > 0 } value ? value : null;
}
