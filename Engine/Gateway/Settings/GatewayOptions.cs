using System.ComponentModel.DataAnnotations;
using Platform.Audit;

namespace Platform.Gateway.Settings;

/// <summary>Settings under <c>Gateway</c>; checked at start.</summary>
internal sealed class GatewayOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = SettingNames.Gateway;

    /// <summary>The address that MongoDB clients connect to. Loopback by default.</summary>
    public string BindAddress { get; set; } = "127.0.0.1";

    /// <summary>The port that MongoDB clients connect to. Default 27017.</summary>
    [Range(1, 65_535)]
    public int Port { get; set; } = 27017;

    /// <summary>The <c>host:port</c> under which the member is reachable, as <c>hello</c> says it. Default: the bound address and port.</summary>
    public string? AdvertisedHost { get; set; }

    /// <summary>The replica set's name.</summary>
    public string ReplicaSet { get; set; } = "rs0";

    /// <summary>
    /// All members of the replica set, each as <c>host:port</c>, separated by commas: this gateway runs the PostgreSQL of one of them.
    /// Default: none, and the gateway is a set of one in front of a PostgreSQL that somebody else runs.
    /// </summary>
    public string? Members { get; set; }

    /// <summary>Which of <see cref="Members"/> this one is, from 1. It listens on the port, and if it is one the address, that is said there.</summary>
    [Range(1, 7)]
    public int Member { get; set; } = 1;

    /// <summary>Where the member keeps its data.</summary>
    public string? DataDirectory { get; set; }

    /// <summary>Where the Unix sockets of all members are; only the user may enter it, as access to it is the authentication.</summary>
    public string? SocketDirectory { get; set; }

    /// <summary>The root file system with PostgreSQL.</summary>
    public string? ServerImage { get; set; }

    /// <summary>The directory of the scripts that run it.</summary>
    public string? NativeScripts { get; set; }

    /// <summary>
    /// A file of mode 600 with the pass phrase that the member's data is encrypted with on the disk; see docs/security.md. Default: none, and the data is
    /// plain.
    /// </summary>
    public string? PassPhraseFile { get; set; }

    /// <summary>Whether the member's data is encrypted on the disk.</summary>
    public bool IsEncryptedAtRest => PassPhraseFile is { Length: > 0 };

    /// <summary>
    /// How long a primary may be silent, or its PostgreSQL, before the others elect another one. A process that has ended is noticed at
    /// once. Default 3 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:01:00")]
    public TimeSpan ElectionTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>A certificate in PEM form; with it only TLS connections are taken. Default: none, and no TLS.</summary>
    public string? TlsCertificateFile { get; set; }

    /// <summary>The private key of the certificate, in PEM form.</summary>
    public string? TlsKeyFile { get; set; }

    /// <summary>Authorities in PEM form, one of which must have signed a client's certificate. Default: none, and clients need no certificate.</summary>
    public string? TlsClientCaFile { get; set; }

    /// <summary>
    /// The administrative user, made at start. Without one the first user is made by a client on this machine (the localhost exception).
    /// </summary>
    public string RootUsername { get; set; } = "";

    /// <summary>Its password; a changed one is set at start.</summary>
    public string RootPassword { get; set; } = "";

    /// <summary>Where the audit log is, and how much of it is kept. Default: nowhere, and nothing is recorded.</summary>
    public AuditSettings Audit { get; } = new();

    /// <summary>Connections to PostgreSQL for commands; a command waits for a free one. Default 100.</summary>
    [Range(1, 1_000)]
    public int MaxEngineConnections { get; set; } = 100;

    /// <summary>How many of these one user may hold, by commands and open transactions. Default: half of them.</summary>
    [Range(1, 1_000)]
    public int? MaxEngineConnectionsPerUser { get; set; }

    /// <summary>
    /// How many of these are kept from users who do not administer the server; half of the reserve is kept from those who do, too, for
    /// logins and the gateway's own work. Default: a tenth.
    /// </summary>
    [Range(0, 999)]
    public int? ReservedEngineConnections { get; set; }

    /// <summary>Open transactions that one client connection may have begun. Default 25.</summary>
    [Range(1, 100_000)]
    public int MaxTransactionsPerConnection { get; set; } = 25;

    /// <summary>
    /// Client connections at the same time. A new one takes the place of one that has not logged in; when there is none, it is closed
    /// at once. Default 2,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 2_000;

    /// <summary>Client connections that one user may be logged in on. Default: half of all.</summary>
    [Range(1, 1_000_000)]
    public int? MaxConnectionsPerUser { get; set; }

    /// <summary>
    /// Client connections that have not logged in, as those by which drivers watch the server; beyond it the one that is silent for longest
    /// is closed. Default: a quarter of all.
    /// </summary>
    [Range(1, 1_000_000)]
    public int? MaxUnauthenticatedConnections { get; set; }

    /// <summary>The same from one address. Default: half of those in all; for addresses of this machine, all.</summary>
    [Range(1, 1_000_000)]
    public int? MaxUnauthenticatedConnectionsPerAddress { get; set; }

    /// <summary>How long a connection that has not logged in may be silent in both directions. Default 2 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan LoginTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long a message may take from its first byte to its last, and a new connection to send its first one; a second more for each
    /// 16 KiB that arrived. Then the connection is closed. Default 30 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a thread looks for the next bytes of a client that is alone, or of the backend for it, before it sleeps. Zero: not at all.
    /// No longer than a moment, as it keeps a processor busy. Default 100 µs.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:00.010")]
    public TimeSpan BusyWait { get; set; } = TimeSpan.FromMicroseconds(100);

    /// <summary>
    /// Open cursors at the same time; opening more fails. The last tenth is for administrators. Default 5,000: the backend keeps no
    /// more files for them.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxCursors { get; set; } = 5_000;

    /// <summary>Open cursors of one user. Default 1,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxCursorsPerUser { get; set; } = 1_000;

    /// <summary>Open cursors that one client connection opened. Default 500.</summary>
    [Range(1, 1_000_000)]
    public int MaxCursorsPerConnection { get; set; } = 500;

    /// <summary>How long a command waits for a connection to PostgreSQL. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan EngineConnectionWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long start-up waits for PostgreSQL. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan StartupTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Logical sessions at the same time; beyond it idle ones are forgotten. Default 1,000,000, as MongoDB's <c>maxSessions</c>.</summary>
    [Range(1, 100_000_000)]
    public int MaxSessions { get; set; } = 1_000_000;

    /// <summary>Logical sessions of one user; beyond it the ones that this user has not used for longest are forgotten. Default 50,000.</summary>
    [Range(1, 100_000_000)]
    public int MaxSessionsPerUser { get; set; } = 50_000;

    /// <summary>How long a cursor lives without being read. Default 10 minutes, as the backend's own files.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan CursorTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a transaction may last. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan TransactionLifetime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a transaction waits for a lock that another one holds before it gives up with WriteConflict. Default 20 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan TransactionLockTimeout { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a transaction survives the connection that used it last, since a driver may come back on another. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan OrphanedTransactionGrace { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an unused logical session is remembered. Default 30 minutes, as <c>hello</c> says.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long the outcome of a retryable write is kept. Default 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan RetryRecordRetention { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How far back change streams can begin. Default 1 hour, less when more is written than <see cref="ChangeStreamHistoryMegabytes"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan ChangeStreamHistory { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How many megabytes of WAL are kept for change streams that begin in the past; keep it below PostgreSQL's <c>max_slot_wal_keep_size</c>.
    /// Default 512.
    /// </summary>
    [Range(16, 1_000_000)]
    public int ChangeStreamHistoryMegabytes { get; set; } = 512;

    /// <summary>How many megabytes of changes are kept in memory for all streams together, while there are any. Default 32.</summary>
    [Range(1, 4096)]
    public int ChangeStreamBufferMegabytes { get; set; } = 32;

    /// <summary>From which duration on a command is logged as slow. Default 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.000001", "1.00:00:00")]
    public TimeSpan SlowCommand { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a stop waits for commands in flight. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether each command has a span. Default: only when telemetry is exported, since one costs about as much as the rest of a command.</summary>
    public bool? Traces { get; set; }

    /// <summary>See <see cref="MaxEngineConnectionsPerUser"/>.</summary>
    public int EngineConnectionsPerUser => MaxEngineConnectionsPerUser ?? Math.Max(1, MaxEngineConnections / 2);

    /// <summary>See <see cref="ReservedEngineConnections"/>.</summary>
    public int EngineConnectionsReserved => ReservedEngineConnections ?? MaxEngineConnections / 10;

    /// <summary>See <see cref="MaxConnectionsPerUser"/>.</summary>
    public int ConnectionsPerUser => MaxConnectionsPerUser ?? Math.Max(1, MaxConnections / 2);

    /// <summary>See <see cref="MaxUnauthenticatedConnections"/>.</summary>
    public int UnauthenticatedConnections => MaxUnauthenticatedConnections ?? Math.Max(1, MaxConnections / 4);

    /// <summary>
    /// Connections on which users who do not administer the server may be logged in: what is left beside those that have not
    /// logged in, and a tenth for administrators.
    /// </summary>
    public int ConnectionsOfOrdinaryUsers => Math.Max(1, MaxConnections - UnauthenticatedConnections - (MaxConnections / 10));

    /// <summary>See <see cref="MaxUnauthenticatedConnectionsPerAddress"/>.</summary>
    public int UnauthenticatedConnectionsOf(System.Net.IPAddress address) => MaxUnauthenticatedConnectionsPerAddress
        ?? (System.Net.IPAddress.IsLoopback(address) ? UnauthenticatedConnections : Math.Max(1, UnauthenticatedConnections / 2));

    /// <summary>Whether the gateway runs the PostgreSQL of its member.</summary>
    public bool IsManaged => Members is { Length: > 0 };

    /// <summary>See <see cref="Members"/>.</summary>
    public IReadOnlyList<string> MemberHosts => (Members ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>What <c>hello</c> says about where the member is.</summary>
    public string Host => AdvertisedHost is { Length: > 0 } host ? host : $"{BindAddress}:{Port}";

    /// <summary>The port of a member's PostgreSQL, which is a part of the name of its socket.</summary>
    public static int PostgresPort(int member) => 5431 + member;

    /// <summary>Takes address and port of a managed member from the list of all.</summary>
    public void TakeHost()
    {
        if (IsManaged && Member <= MemberHosts.Count && MemberHosts[Member - 1] is var host && host.LastIndexOf(':') is > 0 and var colon
            && ushort.TryParse(host.AsSpan(colon + 1), out var port))
        {
            Port = port;
            AdvertisedHost = host;
            BindAddress = System.Net.IPAddress.TryParse(host.AsSpan(0, colon), out _) ? host[..colon] : BindAddress;
        }
    }
}
