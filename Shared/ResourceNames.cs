namespace Platform;

/// <summary>
/// Names of the resources in the app graph: what the dashboard shows and what connection strings are keyed by.
/// </summary>
public static class ResourceNames
{
    /// <summary>The MongoDB replica set.</summary>
    public const string Mongo = "mongo";

    /// <summary>The platform's database on the replica set; services read <c>ConnectionStrings:platform</c>.</summary>
    public const string Database = "platform";

    /// <summary>The Redis cache; services read <c>ConnectionStrings:cache</c>.</summary>
    public const string Cache = "cache";

    /// <summary>The job that makes the users and roles of the others; exits 0 when they are there.</summary>
    public const string Access = "access";

    /// <summary>The job that prepares the database; exits 0 when it is ready.</summary>
    public const string Migrator = "migrator";

    /// <summary>The job that fills development data.</summary>
    public const string Seeder = "seeder";

    /// <summary>The job that removes development data; it is started by hand only.</summary>
    public const string Cleaner = "seeder-clean";

    /// <summary>The HTTP API.</summary>
    public const string Api = "api";

    /// <summary>The agent that makes backups of the database.</summary>
    public const string Backup = "backup";

    /// <summary>The monitor: collects metrics, watches the watchers, and serves the page.</summary>
    public const string Monitor = "monitor";

    /// <summary>Prometheus: scrapes metrics and evaluates the rules of the alerts.</summary>
    public const string Prometheus = "prometheus";

    /// <summary>Alertmanager: tells people of alerts.</summary>
    public const string Alertmanager = "alertmanager";

    /// <summary>
    /// A member of the replica set where each is a resource of its own: a gateway and the PostgreSQL that it runs.
    /// </summary>
    /// <param name="number">Its number, from 1.</param>
    public static string Member(int number) => $"{Mongo}-{number}";

    /// <summary>A node of the cache where it is a cluster.</summary>
    /// <param name="number">Its number, from 1.</param>
    public static string CacheNode(int number) => $"{Cache}-{number}";
}
