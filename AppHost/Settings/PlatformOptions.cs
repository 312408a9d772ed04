using System.Globalization;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Configuration;
using Platform.Hosting.Mongo;

namespace Platform.AppHost.Settings;

/// <summary>
/// The settings of the app graph: configuration section <c>Platform</c>, by arguments, environment or appsettings.
/// </summary>
internal sealed record PlatformOptions
{
    /// <summary>The section of the audit log.</summary>
    public const string AuditSection = "Platform:Audit";

    private static readonly string[] s_policies = ["allkeys-lru", "allkeys-lfu"];

    /// <summary>
    /// <c>Platform:Engine</c>: <c>auto</c> (default), <c>containers</c>, <c>mongod</c>, <c>documentdb</c> or
    /// <c>external</c>.
    /// </summary>
    public required EngineChoice EngineChoice { get; init; }

    /// <summary>The chosen engine.</summary>
    public Engine Engine => EngineChoice.Engine;

    /// <summary>
    /// <c>Platform:DataDirectory</c>: where local servers keep their data. Default: <c>.platform/data</c> in the
    /// repository.
    /// </summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// <c>Platform:ServerImage</c>: the root file system with the local servers. Default: <c>server-image</c> in the
    /// cache.
    /// </summary>
    public required string ServerImage { get; init; }

    /// <summary>
    /// <c>Platform:StackFile</c>: where the running stack describes itself, or null for nowhere (the default).
    /// </summary>
    public string? StackFile { get; init; }

    /// <summary><c>Platform:ApiPort</c>: the API's public port, or null for a free one (the default).</summary>
    public int? ApiPort { get; init; }

    /// <summary><c>Platform:Api:Https</c>: whether the API takes TLS connections alone, with a certificate of the stack's authority. Default: false.</summary>
    public bool ApiHttps { get; init; }

    /// <summary>
    /// <c>Platform:Mongo:Members</c>: how many members the replica set of the engine <c>documentdb</c> has, 3 (default) or 1.
    /// </summary>
    public int MongoMembers { get; init; } = 3;

    /// <summary>
    /// <c>Platform:Mongo:Image</c>: the image of the engine <c>containers</c>, such as <c>mirror.example/mongo:8.0</c>; null (the default) for
    /// the official one, by digest.
    /// </summary>
    public string? MongoImage { get; init; }

    /// <summary><c>Platform:Mongo:Edition</c>: whose MongoDB the engine <c>containers</c> runs, <c>community</c> (default) or <c>percona</c>.</summary>
    public MongoEdition MongoEdition { get; init; } = MongoEdition.Community;

    /// <summary><c>Platform:Redis:Image</c>: the same of Redis.</summary>
    public string? RedisImage { get; init; }

    /// <summary>
    /// <c>Platform:Redis:Mode</c>: <c>single</c> (default) or <c>cluster</c>, which the engines <c>mongod</c> and <c>documentdb</c> run.
    /// </summary>
    public RedisMode RedisMode { get; init; } = RedisMode.Single;

    /// <summary><c>Platform:Redis:MaxMemoryPolicy</c>: what the cache evicts when it is full, <c>allkeys-lru</c> (default) or <c>allkeys-lfu</c>.</summary>
    public string RedisMaxMemoryPolicy { get; init; } = s_policies[0];

    /// <summary><c>Platform:Parts</c>: what is added to the graph. Default: nothing.</summary>
    public IReadOnlySet<Part> Parts { get; init; } = new HashSet<Part>();

    /// <summary>
    /// <c>Platform:Backup:Directory</c>: where the backups are. Default: <c>.platform/backup</c> in the repository, or <c>backup</c> in a data directory that
    /// was named.
    /// </summary>
    public string BackupDirectory { get; init; } = "";

    /// <summary>
    /// <c>Platform:MonitoringImage</c>: the root file system with Prometheus and Alertmanager. Default: <c>monitoring-image</c> in the cache.
    /// </summary>
    public string MonitoringImage { get; init; } = "";

    /// <summary><c>Platform:Monitoring:Interval</c>: how often servers are asked and rules are evaluated, 1 s to 5 min. Default: 15 s.</summary>
    public MonitoringTimes MonitoringTimes { get; init; } = new(MonitoringTimes.Usual);

    /// <summary><c>Platform:Monitoring:Rules</c>: Prometheus' file with the alerts. Default: <c>deploy/monitoring/rules.yml</c> in the repository.</summary>
    public string AlertRules { get; init; } = "";

    /// <summary><c>Platform:Tls</c>: whether MongoDB and Redis take encrypted connections alone; see docs/security.md. Default: true.</summary>
    public bool Tls { get; init; }

    /// <summary><c>Platform:EncryptAtRest</c>: whether MongoDB's data is encrypted on the disk; see docs/security.md. Default: false.</summary>
    public bool EncryptAtRest { get; init; }

    /// <summary>
    /// <c>Platform:PassPhraseFile</c>: what it is encrypted with, best on another disk than the data. Default:
    /// <c>secrets/at-rest.key</c> in the data directory.
    /// </summary>
    public string PassPhraseFile { get; init; } = "";

    /// <summary>
    /// <c>Platform:FieldEncryption</c>: whether programs encrypt personal data before it is stored, with a master key of this checkout; see docs/security.md.
    /// Default: true, but for the engine <c>external</c>, whose data may be others' too.
    /// </summary>
    public bool FieldEncryption { get; init; }

    /// <summary>
    /// <c>Platform:EncryptionDirectory</c>: where the master key is, best not on the disk with the data. Default: <c>encryption</c> in the data directory.
    /// </summary>
    public string EncryptionDirectory { get; init; } = "";

    /// <summary>
    /// <c>Platform:Audit:Enabled</c>: whether the members of the engine <c>documentdb</c>, and the commands of the platform, write an audit log.
    /// Default: true.
    /// </summary>
    public bool Audit { get; init; }

    /// <summary><c>Platform:Audit:Directory</c>: where the audit log is. Default: <c>audit</c> in the data directory.</summary>
    public string AuditDirectory { get; init; } = "";

    /// <summary>
    /// <c>Platform:Audit:KeyDirectory</c>: where the keys are that it is signed with, best where only the members can write. Default: <c>audit-keys</c> in the
    /// data directory.
    /// </summary>
    public string AuditKeyDirectory { get; init; } = "";

    /// <summary>Whether the servers of <see cref="MongoEdition.Percona"/> write an audit log of their own: <c>Platform:Audit:Enabled</c>.</summary>
    public bool MongodAudit { get; init; }

    /// <summary><c>Platform:Seed</c>: whether the seeder runs. Default: true.</summary>
    public bool Seed { get; init; } = true;

    /// <summary>What whoever starts the graph is to know; null for nothing.</summary>
    public string? Warning => Tls || Engine == Engine.External
        ? null
        : "connections to MongoDB and Redis are NOT ENCRYPTED: Platform:Tls is false";

    /// <summary>The directory of the scripts that run local servers.</summary>
    public string NativeScripts { get; } = Path.Combine(AppContext.BaseDirectory, "Native");

    /// <summary>Reads the settings and chooses the engine; what is to run must be able to.</summary>
    /// <exception cref="DistributedApplicationException">
    /// A setting has a value that cannot be used; the message names its key.
    /// </exception>
    public static PlatformOptions From(IDistributedApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection("Platform");
        if (builder.ExecutionContext.IsPublishMode)
        {
            return From(section, builder.AppHostDirectory, EngineChoice.Published) with
            {
                ApiPort = null, ApiHttps = false, StackFile = null, Parts = new HashSet<Part>(),
            };
        }

        var options = From(section, builder.AppHostDirectory, Machine.Here);
        if (options.ObstacleTo(builder.Configuration, Machine.Here) is { } obstacle)
        {
            throw new DistributedApplicationException(obstacle);
        }

        return options;
    }

    internal static PlatformOptions From(IConfiguration section, string appHostDirectory, Machine machine)
        => From(section, appHostDirectory, EngineChoice.From(section["Engine"], machine));

    private static PlatformOptions From(IConfiguration section, string appHostDirectory, EngineChoice engine)
    {
        var cache = Environment.GetEnvironmentVariable("PLATFORM_CACHE") is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "platform");
        var repository = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(appHostDirectory))!;

        var data = Path.GetFullPath(section["DataDirectory"] ?? Path.Combine(repository, ".platform", "data"));
        return new PlatformOptions
        {
            EngineChoice = engine,
            DataDirectory = data,
            ServerImage = Path.GetFullPath(section["ServerImage"] ?? Path.Combine(cache, "server-image")),
            StackFile = section["StackFile"] is { Length: > 0 } file ? Path.GetFullPath(file) : null,
            ApiPort = ParsePort(section["ApiPort"]),
            ApiHttps = ParseSwitch(section, "Api:Https", usual: false),
            Seed = ParseSwitch(section, "Seed", usual: true),
            Tls = ParseSwitch(section, "Tls", usual: true),
            FieldEncryption = ParseSwitch(section, "FieldEncryption", usual: engine.Engine != Engine.External),
            EncryptionDirectory = Path.GetFullPath(section["EncryptionDirectory"] ?? Path.Combine(data, "encryption")),
            EncryptAtRest = ParseSwitch(section, "EncryptAtRest", usual: false),
            PassPhraseFile = Path.GetFullPath(section["PassPhraseFile"] ?? Path.Combine(data, "secrets", "at-rest.key")),
            MongoEdition = ParseEdition(section["Mongo:Edition"]),
            MongodAudit = ParseSwitch(section, "Audit:Enabled", usual: true),
            Audit = ParseSwitch(section, "Audit:Enabled", usual: true) && engine.Engine == Engine.DocumentDb,
            AuditDirectory = Path.GetFullPath(section["Audit:Directory"] ?? Path.Combine(data, "audit")),
            AuditKeyDirectory = Path.GetFullPath(section["Audit:KeyDirectory"] ?? Path.Combine(data, "audit-keys")),
            Parts = ParseParts(section["Parts"]),
            MonitoringImage = Path.GetFullPath(section["MonitoringImage"] ?? Path.Combine(cache, "monitoring-image")),
            MonitoringTimes = new(ParseInterval(section["Monitoring:Interval"])),
            AlertRules = Path.GetFullPath(section["Monitoring:Rules"] ?? Path.Combine(repository, "deploy", "monitoring", "rules.yml")),
            BackupDirectory = Path.GetFullPath(
                section["Backup:Directory"]
                ?? Path.Combine(section["DataDirectory"] ?? Path.Combine(repository, ".platform"), "backup")),
            MongoMembers = ParseMembers(section["Mongo:Members"]),
            MongoImage = ParseImage(section, "Mongo:Image"),
            RedisImage = ParseImage(section, "Redis:Image"),
            RedisMode = ParseRedisMode(section["Redis:Mode"]),
            RedisMaxMemoryPolicy = ParsePolicy(section["Redis:MaxMemoryPolicy"]),
        };
    }

    /// <summary>What keeps a graph with these settings from running here, in a sentence; null for nothing.</summary>
    /// <param name="configuration">The AppHost's configuration.</param>
    /// <param name="machine">What the machine has.</param>
    internal string? ObstacleTo(IConfiguration configuration, Machine machine)
    {
        if (ApiPort is { } port && IsTaken(port))
        {
            return $"Platform:ApiPort is {port}, but another program listens there: "
                + "end that program or choose another port.";
        }

        if (ApiHttps && (!Tls || Engine == Engine.External))
        {
            return "Platform:Api:Https is true, but there is no certificate for it: "
                + (Tls ? "with the engine external the stack has no authority." : "Platform:Tls is false.");
        }

        // [part monitoring]
        if (ApiHttps && Parts.Contains(Part.Monitoring))
        {
            return "Platform:Api:Https is true and Platform:Parts has monitoring, but Prometheus asks the API for its metrics by HTTP alone: leave out one of "
                + "them.";
        }

        // [end of part]
        // [part backup]
        if (Parts.Contains(Part.Backup) && Engine != Engine.DocumentDb)
        {
            return $"Platform:Parts has backup, but the engine is {EngineChoice}, whose backups are not supported yet: those of mongod "
                + "are made by Percona Backup for MongoDB, those of Atlas by Atlas.";
        }

        // [end of part]
        if (ObstacleToEncryption(machine) is { } unencrypted)
        {
            return unencrypted;
        }

        // [part monitoring]
        if (Parts.Contains(Part.Monitoring) && ObstacleToMonitoring(machine) is { } missing)
        {
            return $"Platform:Parts has monitoring, but {missing}";
        }

        // [end of part]
        return Engine switch
        {
            Engine.Containers when RedisMode == RedisMode.Cluster =>
                "Platform:Redis:Mode is 'cluster', which the engine containers does not run: use --Platform:Engine=documentdb or mongod, or external with the "
                + "connection string of a cluster.",
            Engine.External when RedisMode == RedisMode.Cluster || RedisMaxMemoryPolicy != s_policies[0] =>
                "Platform:Redis:Mode and MaxMemoryPolicy are for a Redis that the graph runs, but the engine is external: the Redis of "
                + $"ConnectionStrings:{ResourceNames.Cache} has its own configuration.",
            Engine.External => ((string[])[ResourceNames.Database, ResourceNames.Cache])
                .Where(name => string.IsNullOrEmpty(configuration.GetConnectionString(name)))
                .Select(name => $"The engine is external, but ConnectionStrings:{name} is not set.")
                .FirstOrDefault(),
            Engine.Mongod or Engine.DocumentDb when !machine.IsLinux =>
                $"The engine is {EngineChoice}, whose servers run on Linux only: start Docker or Podman, or name servers that "
                + "run already (--Platform:Engine=external).",
            Engine.Mongod or Engine.DocumentDb when !Directory.Exists(Path.Combine(ServerImage, "usr")) =>
                $"The engine is {EngineChoice}, but the server image is missing at {ServerImage}: "
                + "run './platform setup'.",
            Engine.Mongod or Engine.DocumentDb when !machine.HasProgram("bwrap") =>
                $"The engine is {EngineChoice}, but bubblewrap is not on the PATH: run './platform setup'.",
            _ => null,
        };
    }

    private string? ObstacleToEncryption(Machine machine) =>
        MongoEdition == MongoEdition.Percona && Engine != Engine.Containers
            ? $"Platform:Mongo:Edition is percona, which the engine containers runs, but the engine is {EngineChoice}."
        : !EncryptAtRest ? null
        : Engine switch
        {
            Engine.Containers when MongoEdition == MongoEdition.Community =>
                "Platform:EncryptAtRest is true, but MongoDB Community cannot encrypt its data: use --Platform:Mongo:Edition=percona, or leave it out and "
                + "encrypt the disk.",
            Engine.Mongod =>
                "Platform:EncryptAtRest is true, but the engine mongod runs what this machine has, and MongoDB Community cannot encrypt its data: use "
                + "--Platform:Engine=documentdb, or leave it out and encrypt the disk.",
            Engine.External =>
                $"Platform:EncryptAtRest is for servers that the graph runs, but the engine is external: whether the servers of "
                + $"ConnectionStrings:{ResourceNames.Database} encrypt their data is set there, and './platform security check' looks.",
            // [part backup]
            Engine.DocumentDb when Parts.Contains(Part.Backup) =>
                "Platform:Parts has backup, but Platform:EncryptAtRest is true: backups of encrypted data are not supported yet, as what makes them reads the "
                + "files. Leave out one of both.",
            // [end of part]
            Engine.DocumentDb when machine.IsLinux && machine.WhyNotEncrypt(NativeScripts, ServerImage) is { } why =>
                $"Platform:EncryptAtRest is true, but {why}.",
            _ => null,
        };

    // [part monitoring]
    private string? ObstacleToMonitoring(Machine machine) =>
        !machine.IsLinux ? "its servers run on Linux only."
        : !Directory.Exists(Path.Combine(MonitoringImage, "usr"))
            ? $"the monitoring image is missing at {MonitoringImage}: run './platform setup --with monitoring'."
        : !machine.HasProgram("bwrap") ? "bubblewrap is not on the PATH: run './platform setup --with monitoring'."
        : !File.Exists(AlertRules) ? $"the rules are missing at {AlertRules} (Platform:Monitoring:Rules)."
        : null;

    // [end of part]
    private static TimeSpan ParseInterval(string? value) => value switch
    {
        null or "" => MonitoringTimes.Usual,
        _ when TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var interval)
            && interval >= MonitoringTimes.Limits.Least && interval <= MonitoringTimes.Limits.Most => interval,
        _ => throw new DistributedApplicationException($"Platform:Monitoring:Interval is '{value}', but must be from 00:00:01 to 00:05:00."),
    };

    private static int? ParsePort(string? value) => value switch
    {
        null or "" => null,
        _ when int.TryParse(value, out var port) && port is > 0 and <= ushort.MaxValue => port,
        _ => throw new DistributedApplicationException(
            $"Platform:ApiPort is '{value}', but must be a port from 1 to 65535."),
    };

    private static int ParseMembers(string? value) => value switch
    {
        null or "" or "3" => 3,
        "1" => 1,
        _ => throw new DistributedApplicationException($"Platform:Mongo:Members is '{value}', but must be 1 or 3."),
    };

    private static string? ParseImage(IConfiguration section, string key) => section[key] switch
    {
        null or "" => null,
        { } reference when reference.All(char.IsAscii) && !reference.Any(char.IsWhiteSpace) && char.IsLetterOrDigit(reference[0]) => reference,
        { } other => throw new DistributedApplicationException(
            $"Platform:{key} is '{other}', but must be the name of an image, such as mirror.example/name:tag."),
    };

    private static MongoEdition ParseEdition(string? value) => value switch
    {
        null or "" or "community" => MongoEdition.Community,
        "percona" => MongoEdition.Percona,
        _ => throw new DistributedApplicationException($"Platform:Mongo:Edition is '{value}', but must be community or percona."),
    };

    private static RedisMode ParseRedisMode(string? value) => value switch
    {
        null or "" or "single" => RedisMode.Single,
        "cluster" => RedisMode.Cluster,
        _ => throw new DistributedApplicationException($"Platform:Redis:Mode is '{value}', but must be single or cluster."),
    };

    private static string ParsePolicy(string? value) => value is null or "" ? s_policies[0]
        : s_policies.Contains(value) ? value
        : throw new DistributedApplicationException($"Platform:Redis:MaxMemoryPolicy is '{value}', but must be {string.Join(" or ", s_policies)}.");

    private static HashSet<Part> ParseParts(string? value) => value is null or "" ? []
        : string.Equals(value, "all", StringComparison.OrdinalIgnoreCase) ? [.. Enum.GetValues<Part>()]
        :
        [
            .. value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(
                name => Enum.TryParse<Part>(name, ignoreCase: true, out var part) && Enum.IsDefined(part) && !char.IsAsciiDigit(name[0])
                    ? part
                    : throw new DistributedApplicationException(
                        $"Platform:Parts has '{name}', but must be of these: {string.Join(", ", [.. Enum.GetNames<Part>(), "all"]).ToLowerInvariant()}.")),
        ];

    private static bool ParseSwitch(IConfiguration section, string key, bool usual) => section[key] switch
    {
        null or "" => usual,
        { } value when bool.TryParse(value, out var on) => on,
        { } other => throw new DistributedApplicationException($"Platform:{key} is '{other}', but must be true or false."),
    };

    private static bool IsTaken(int port)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port);
}
