using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Platform.Gateway.Postgres;

/// <summary>Where PostgreSQL is and as whom to connect: the part of an Npgsql connection string that counts here.</summary>
internal sealed class PostgresSettings
{
    private readonly NpgsqlConnectionStringBuilder _settings;

    private PostgresSettings(NpgsqlConnectionStringBuilder settings) => _settings = settings;

    /// <summary>The role to log in as.</summary>
    public string User => _settings.Username ?? Environment.UserName;

    /// <summary>Its password, if the server asks for one.</summary>
    public string? Password => _settings.Password;

    /// <summary>How long connecting and logging in may take. Default 5 s.</summary>
    public TimeSpan Timeout { get; private init; } = TimeSpan.FromSeconds(5);

    /// <summary>The parameters of the start-up message.</summary>
    public IEnumerable<KeyValuePair<string, string>> Parameters
    {
        get
        {
            yield return new("user", User);
            yield return new("database", _settings.Database ?? User);
            yield return new("client_encoding", "UTF8");
            yield return new("application_name", _settings.ApplicationName ?? "documentdb-gateway");
            // Validators grow when schemas are rewritten into what the engine knows. Writes that wait for each other are told apart soon,
            // because one of them is repeated at once.
            yield return new("options", $"{_settings.Options} -c documentdb.maxSchemaValidatorSize=1048576 -c deadlock_timeout=100ms".TrimStart());
            if (_settings.SearchPath is { Length: > 0 } path)
            {
                yield return new("search_path", path);
            }

            if (_settings.Timezone is { Length: > 0 } zone)
            {
                yield return new("TimeZone", zone);
            }
        }
    }

    /// <summary>
    /// Reads a connection string. Throws <see cref="ArgumentException"/> with a sentence when it is none, or asks for what is not
    /// supported: several hosts, or TLS (the engine is reached by a Unix socket, or by TCP on the same machine).
    /// </summary>
    public static PostgresSettings Parse(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (settings.Host is not { Length: > 0 } host)
        {
            throw new ArgumentException("it names no Host");
        }

        if (host.Contains(',', StringComparison.Ordinal))
        {
            throw new ArgumentException("it names several hosts; there is one engine");
        }

        if (settings.SslMode is SslMode.Require or SslMode.VerifyCA or SslMode.VerifyFull)
        {
            throw new ArgumentException($"it asks for SSL Mode={settings.SslMode}; the engine is reached by a Unix socket or by TCP on the same machine");
        }

        return new PostgresSettings(settings);
    }

    /// <summary>Opens a socket to the server.</summary>
    public async ValueTask<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        var host = _settings.Host!;
        EndPoint end = host[0] is '/' or '@'
            ? new UnixDomainSocketEndPoint($"{(host[0] == '@' ? $"\0{host[1..]}" : host)}/.s.PGSQL.{_settings.Port}")
            : IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, _settings.Port) : new DnsEndPoint(host, _settings.Port);
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
}
