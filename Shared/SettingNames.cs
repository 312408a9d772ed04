namespace Platform;

/// <summary>
/// Settings that whoever starts a service hands to it: the names of the environment variables, and the configuration
/// sections that the service reads them from.
/// </summary>
public static class SettingNames
{
    /// <summary>Sections of the platform's programs and of the framework, each of which some other program may read.</summary>
    public static IReadOnlyCollection<string> Sections { get; } =
    [
        Access, AllowedHosts, Api, Audit, Backup, "Cache", "ConnectionStrings", "Kestrel", "Logging", "OTEL", "ASPNETCORE", "DOTNET", "Platform", Encryption,
        Gateway, "Health", Metrics, "Migrator", Monitor, "Mongo", "MongoGuard", "MongoTelemetry", Paging, "RateLimits", "Seeder", "Sharding", "Validation",
    ];

    /// <summary>The section of who may call the API.</summary>
    public const string Api = "Api";

    /// <summary>How callers of the API show who they are.</summary>
    public const string ApiAuthenticationMode = $"{Api}__Authentication__Mode";

    /// <summary>The issuer of their tokens.</summary>
    public const string ApiAuthority = $"{Api}__Authentication__Authority";

    /// <summary>What tokens for the API name as their audience.</summary>
    public const string ApiAudience = $"{Api}__Authentication__Audience";

    /// <summary>The proxies before the API.</summary>
    public const string ApiProxies = $"{Api}__Proxies";

    /// <summary>The hosts that the API answers to.</summary>
    public const string AllowedHosts = "AllowedHosts";

    /// <summary>The section of the encryption of personal data.</summary>
    public const string Encryption = "Encryption";

    /// <summary>The file with the master key.</summary>
    public const string EncryptionMasterKeyFile = $"{Encryption}__MasterKeyFile";

    /// <summary>The file with the master key before that.</summary>
    public const string EncryptionPreviousMasterKeyFile = $"{Encryption}__PreviousMasterKeyFile";

    /// <summary>The section of the backups.</summary>
    public const string Backup = "Backup";

    /// <summary>The directory of the backups.</summary>
    public const string BackupDirectory = $"{Backup}__Directory";

    /// <summary>The pass phrase of the repository.</summary>
    public const string BackupPassPhrase = $"{Backup}__PassPhrase";

    /// <summary>The data directory of a member of the replica set, of which there are several: this and a number from 0.</summary>
    public const string BackupMembers = $"{Backup}__Members__";

    /// <summary>Where the Unix sockets of all members are.</summary>
    public const string BackupSocketDirectory = $"{Backup}__SocketDirectory";

    /// <summary>The root file system with PostgreSQL and pgBackRest.</summary>
    public const string BackupServerImage = $"{Backup}__ServerImage";

    /// <summary>The directory of the scripts that run them.</summary>
    public const string BackupNativeScripts = $"{Backup}__NativeScripts";

    /// <summary>The program that lets MongoDB's clients read a restored copy.</summary>
    public const string BackupGatewayProgram = $"{Backup}__GatewayProgram";

    /// <summary>The password of the API's user, as whom a drill logs in to a restored copy.</summary>
    public const string BackupApiPassword = $"{Backup}__ApiPassword";

    /// <summary>The file with the passwords of the API's user, in place of <see cref="BackupApiPassword"/>.</summary>
    public const string BackupApiPasswordFile = $"{Backup}__ApiPasswordFile";

    /// <summary>The bucket that has a copy of the repository.</summary>
    public const string BackupBucket = $"{Backup}__S3__Bucket";

    /// <summary>Where a server of the image archives its log, read by the script that runs it.</summary>
    public const string ArchiveRepository = "PLATFORM_BACKUP_REPOSITORY";

    /// <summary>The pass phrase of that repository, read by the script.</summary>
    public const string ArchivePassPhrase = "PLATFORM_BACKUP_PASSPHRASE";

    /// <summary>The section of the monitor.</summary>
    public const string Monitor = "Monitor";

    /// <summary>The URL of Prometheus, with a login.</summary>
    public const string MonitorPrometheus = $"{Monitor}__Prometheus";

    /// <summary>The URL of Alertmanager, with a login.</summary>
    public const string MonitorAlertmanager = $"{Monitor}__Alertmanager";

    /// <summary>What Alertmanager shows when it brings the heartbeat.</summary>
    public const string MonitorHeartbeatKey = $"{Monitor}__HeartbeatKey";

    /// <summary>The password of the monitor's page.</summary>
    public const string MonitorPagePassword = $"{Monitor}__PagePassword";

    /// <summary>The URL of the monitor's page, with the login; read by <c>./platform queries</c>.</summary>
    public const string MonitorUrl = $"{Monitor}__Url";

    /// <summary>The section of what services show Prometheus.</summary>
    public const string Metrics = "Metrics";

    /// <summary>What Prometheus shows when it asks a service for its metrics.</summary>
    public const string MetricsScrapeKey = $"{Metrics}__ScrapeKey";

    /// <summary>How often servers are asked.</summary>
    public const string MonitorInterval = $"{Monitor}__Interval";

    /// <summary>How often the monitor asks whether Prometheus answers.</summary>
    public const string MonitorProbe = $"{Monitor}__Probe";

    /// <summary>How long there is no heartbeat until the monitor says so.</summary>
    public const string MonitorSilence = $"{Monitor}__Silence";

    /// <summary>The directories whose disks are watched: this, two underscores and a name.</summary>
    public const string MonitorDirectories = $"{Monitor}__Directories";

    /// <summary>The section of the passwords with which <c>migrator access apply</c> makes users.</summary>
    public const string Access = "Access";

    /// <summary>From where the programs' users may log in.</summary>
    public const string AccessAddresses = $"{Access}__Addresses";

    /// <summary>Where the API finds out how far the migrations are.</summary>
    public const string MigrationCheckCollection = "MigrationCheck__Collection";

    /// <summary>The password of a program's user.</summary>
    /// <param name="program">The name of the program's resource.</param>
    public static string PasswordOf(string program) => $"{Access}__Passwords__{program}";

    /// <summary>The file with the password of a program's user, in place of <see cref="PasswordOf"/>.</summary>
    /// <param name="program">The name of the program's resource.</param>
    public static string PasswordFileOf(string program) => $"{Access}__PasswordFiles__{program}";

    /// <summary>The file with the passwords of a program's user in MongoDB.</summary>
    public const string MongoPasswordFile = "Mongo__PasswordFile";

    /// <summary>The file with the passwords of a program's user in Redis.</summary>
    public const string CachePasswordFile = "Cache__PasswordFile";

    /// <summary>The gateway's section.</summary>
    public const string Gateway = "Gateway";

    /// <summary>The port that MongoDB clients connect to.</summary>
    public const string GatewayPort = $"{Gateway}__Port";

    /// <summary>The replica set's name.</summary>
    public const string GatewayReplicaSet = $"{Gateway}__ReplicaSet";

    /// <summary>All members of the replica set, each as <c>host:port</c>, separated by commas.</summary>
    public const string GatewayMembers = $"{Gateway}__Members";

    /// <summary>Which of them this one is, from 1.</summary>
    public const string GatewayMember = $"{Gateway}__Member";

    /// <summary>Where the member keeps its data.</summary>
    public const string GatewayDataDirectory = $"{Gateway}__DataDirectory";

    /// <summary>Where the Unix sockets of all members are.</summary>
    public const string GatewaySocketDirectory = $"{Gateway}__SocketDirectory";

    /// <summary>The root file system with PostgreSQL.</summary>
    public const string GatewayServerImage = $"{Gateway}__ServerImage";

    /// <summary>The directory of the scripts that run it.</summary>
    public const string GatewayNativeScripts = $"{Gateway}__NativeScripts";

    /// <summary>The file with the pass phrase that the member's data is encrypted with on the disk.</summary>
    public const string GatewayPassPhraseFile = $"{Gateway}__PassPhraseFile";

    /// <summary>The gateway's certificate, in PEM form.</summary>
    public const string GatewayTlsCertificateFile = $"{Gateway}__TlsCertificateFile";

    /// <summary>The private key of that certificate.</summary>
    public const string GatewayTlsKeyFile = $"{Gateway}__TlsKeyFile";

    /// <summary>The administrative user.</summary>
    public const string GatewayRootUsername = $"{Gateway}__RootUsername";

    /// <summary>That user's password.</summary>
    public const string GatewayRootPassword = $"{Gateway}__RootPassword";

    /// <summary>The section of the gateway's audit log.</summary>
    public const string GatewayAudit = $"{Gateway}__Audit";

    /// <summary>The section of the audit log of the platform's own commands.</summary>
    public const string Audit = "Audit";

    /// <summary>
    /// The connection string by which the gateway finds PostgreSQL; it reads <c>ConnectionStrings:postgres</c>.
    /// </summary>
    public const string Postgres = "postgres";

    /// <summary>The certificate authorities by which programs know Redis.</summary>
    public const string CacheTlsCaFile = "Cache__TlsCaFile";

    /// <summary>The section of the API's page cursors.</summary>
    public const string Paging = "Paging";

    /// <summary>The secret that page cursors are signed with.</summary>
    public const string PagingCursorKey = $"{Paging}__CursorKey";
}
