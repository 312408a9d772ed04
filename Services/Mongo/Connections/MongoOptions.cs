using System.ComponentModel.DataAnnotations;

namespace Platform.Mongo.Connections;

/// <summary>
/// How services connect to MongoDB. Configuration section <c>Mongo</c>. Of four places the later wins: the defaults here, the
/// defaults of the service, the options of the connection string, and this section. Servers, user and replica-set name are
/// the connection string's alone. The page docs/connections.md shows these texts as a table.
/// </summary>
public sealed class MongoOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Mongo";

    /// <summary>Connections kept open to each server, so that a burst after a quiet time does not begin by connecting. Default: 10.</summary>
    /// <remarks>minPoolSize</remarks>
    [Range(0, 10_000)]
    public int MinPoolSize { get; set; } = 10;

    /// <summary>Connections to each server at most. Each costs the server a thread and about 1 MB, so more seldom means faster. Default: 100.</summary>
    /// <remarks>maxPoolSize</remarks>
    [Range(1, 10_000)]
    public int MaxPoolSize { get; set; } = 100;

    /// <summary>Connections opened at the same time. A handshake with SCRAM is dear for a server; a storm of them delays the work. Default: 2.</summary>
    /// <remarks>maxConnecting</remarks>
    [Range(1, 100)]
    public int MaxConnecting { get; set; } = 2;

    /// <summary>Wait for a free connection at most. Short, since the gate has already let in no more than the pool holds. Default: 5 seconds.</summary>
    /// <remarks>waitQueueTimeoutMS</remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan WaitQueueTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Wait for a connection to be opened. Long enough for TLS over a slow line; selection fails sooner when a server is away. Default: 10 seconds.
    /// </summary>
    /// <remarks>connectTimeoutMS</remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Wait for one answer on a connection, after which it is closed: what a half-dead server holds up at most. Zero waits for ever. Default: 60 seconds.
    /// </summary>
    /// <remarks>socketTimeoutMS</remarks>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan SocketTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Wait for a suitable server. Longer than an election, which takes up to 12 s, so that jobs live through one. Default: 30 seconds.</summary>
    /// <remarks>serverSelectionTimeoutMS</remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan ServerSelectionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time between two checks of a server. One that hangs is noticed after this and <c>ConnectTimeout</c>, and what waits for it is freed.
    /// Below 0.5 s is refused by the specification. Default: 2 seconds.
    /// </summary>
    /// <remarks>heartbeatFrequencyMS</remarks>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Life of an unused connection above the minimum. Shorter than what firewalls and load balancers cut, often 10 to 60 minutes. Default: 5 minutes.
    /// </summary>
    /// <remarks>maxIdleTimeMS</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxIdleTime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Which members are read from. The primary, since stock and orders must be current; reports may choose otherwise. Default: primary.</summary>
    /// <remarks>readPreference</remarks>
    [AllowedValues("primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest")]
    public string ReadPreference { get; set; } = "primary";

    /// <summary>What reads may see. Only what a majority has, so that nothing read is rolled back by an election. Default: majority.</summary>
    /// <remarks>readConcernLevel</remarks>
    [AllowedValues("local", "available", "majority", "linearizable", "snapshot")]
    public string ReadConcern { get; set; } = "majority";

    /// <summary>
    /// Who must have a write before it counts: <c>majority</c>, a number of members, or a tag. A majority survives an election. Default: majority.
    /// </summary>
    /// <remarks>w</remarks>
    [RegularExpression("[A-Za-z0-9_.-]{1,64}")]
    public string WriteConcern { get; set; } = "majority";

    /// <summary>Whether those members must have the write in their journal, so that it survives a power cut of them all. Default: true.</summary>
    /// <remarks>journal</remarks>
    public bool Journal { get; set; } = true;

    /// <summary>Whether the driver repeats a read once after a network error or an election. Default: true.</summary>
    /// <remarks>retryReads</remarks>
    public bool RetryReads { get; set; } = true;

    /// <summary>Whether the driver repeats a write once; the server recognises the second, so it is carried out once. Default: true.</summary>
    /// <remarks>retryWrites</remarks>
    public bool RetryWrites { get; set; } = true;

    /// <summary>How the server's log and <c>currentOp</c> call this client. Default: the service's name. At most 128 bytes.</summary>
    /// <remarks>appName</remarks>
    [RegularExpression("[ -~]{0,128}")]
    public string ApplicationName { get; set; } = "";

    /// <summary>
    /// Compressors to offer, best first, separated by commas: <c>zstd</c>, <c>snappy</c>, <c>zlib</c>. None in one data centre; across zones <c>zstd</c> pays.
    /// Default: none.
    /// </summary>
    /// <remarks>compressors</remarks>
    [RegularExpression("((zstd|snappy|zlib)(,(zstd|snappy|zlib))*)?")]
    public string Compressors { get; set; } = "";

    /// <summary>Whether connections use TLS. Off for servers on this machine; <c>mongodb+srv</c> turns it on. Default: false.</summary>
    /// <remarks>tls</remarks>
    public bool Tls { get; set; }

    /// <summary>
    /// A file with the certificate authorities, in PEM form, that alone are trusted to sign servers' certificates. Default: none, and those of the machine are.
    /// </summary>
    /// <remarks>tlsCAFile</remarks>
    public string TlsCaFile { get; set; } = "";

    /// <summary>
    /// A file with the passwords of the connection string's user, one on each line, read for each new connection, so that a password can be replaced while the
    /// service runs. Wins over the connection string's password. Default: none.
    /// </summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>The gate before the pool.</summary>
    public MongoGateOptions Gate { get; } = new();

    /// <summary>Repeating units of work, and waiting at the start.</summary>
    public MongoRetryOptions Retry { get; } = new();

    /// <summary>The circuit breaker.</summary>
    public MongoBreakerOptions Breaker { get; } = new();

    /// <summary>The readiness check.</summary>
    public MongoHealthOptions Health { get; } = new();
}
