namespace Platform;

/// <summary>
/// Settings that whoever starts a service hands to it: the names of the environment variables, and the configuration
/// sections that the service reads them from.
/// </summary>
public static class SettingNames
{
    /// <summary>The gateway's section.</summary>
    public const string Gateway = "Gateway";

    /// <summary>The port that MongoDB clients connect to.</summary>
    public const string GatewayPort = $"{Gateway}__Port";

    /// <summary>The replica set's name.</summary>
    public const string GatewayReplicaSet = $"{Gateway}__ReplicaSet";

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
