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
        "AllowedHosts", "Cache", "ConnectionStrings", "Kestrel", "Logging", "OTEL", "ASPNETCORE", "DOTNET", "Platform", Gateway, "Health", "Migrator", "Mongo",
        "MongoTelemetry", Paging, "RateLimits", "Seeder", "Validation",
    ];

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

    /// <summary>The administrative user.</summary>
    public const string GatewayRootUsername = $"{Gateway}__RootUsername";

    /// <summary>That user's password.</summary>
    public const string GatewayRootPassword = $"{Gateway}__RootPassword";

    /// <summary>
    /// The connection string by which the gateway finds PostgreSQL; it reads <c>ConnectionStrings:postgres</c>.
    /// </summary>
    public const string Postgres = "postgres";

    /// <summary>The section of the API's page cursors.</summary>
    public const string Paging = "Paging";

    /// <summary>The secret that page cursors are signed with.</summary>
    public const string PagingCursorKey = $"{Paging}__CursorKey";
}
