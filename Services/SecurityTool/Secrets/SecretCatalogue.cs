namespace Platform.SecurityTool.Secrets;

/// <summary>Every secret that a checkout generates: the AppHost makes it where it is missing, and so makes a new one where it was taken away.</summary>
internal static class SecretCatalogue
{
    /// <summary>The name of the pass phrase of data that is encrypted on the disk.</summary>
    public const string AtRest = "at-rest-key";

    /// <summary>The name of the master key of personal data.</summary>
    public const string Master = "master-key";

    private const string NextStart = "The next start makes a new one and tells all who read it.";
    private const string Signed = "What was signed with the old one is not accepted any more.";

    /// <summary>The secrets, in the order in which they are shown.</summary>
    public static IReadOnlyList<GeneratedSecret> All { get; } =
    [
        new(
            "mongo-password", "the password of MongoDB's administrator", ["mongo", "access", "./platform"], null,
            "MongoDB's data has its own copy, and a start with another password is refused: change it in the database with updateUser and among the "
                + "user secrets with 'dotnet user-secrets set', in one go while nothing else starts."),
        new("mongo-keyfile", "by which members of mongod know each other (engines containers and mongod)", ["mongo-members"], NextStart),
        OfProgram("api"), OfProgram("migrator"), OfProgram("seeder"), OfProgram("monitor"),
        new("cache-password", "the password of Redis's administrator", ["cache", "./platform"], NextStart),
        new("cache-api-password", "the API's password in Redis", ["cache", "api"], NextStart, Login: new(IsRedis: true, ResourceNames.Api)),
        new("cache-monitor-password", "the monitor's password in Redis", ["cache", "monitor"], NextStart, Login: new(IsRedis: true, ResourceNames.Monitor)),
        new("cache-replica-password", "by which nodes of a Redis cluster replicate", ["cache"], NextStart),
        new("cursor-key", "signs the API's page cursors", ["api"], $"{NextStart} {Signed} Who is in the middle of a list begins anew."),
        new("monitor-heartbeat-key", "signs the alert that always fires, and its way back to the monitor", ["monitor", "alertmanager"], NextStart),
        new("monitor-password", "the password of the monitor's page", ["monitor", "whoever opens the page"], NextStart),
        new("scrape-key", "by which services know Prometheus", ["prometheus", "api", "backup"], NextStart),
        new("prometheus-password", "the password of Prometheus' page", ["prometheus", "monitor"], NextStart),
        new("alertmanager-password", "the password of Alertmanager's page", ["alertmanager", "monitor", "prometheus"], NextStart),
        new(
            "backup-passphrase", "encrypts the repository of backups", ["backup", "mongo-1, mongo-2 and mongo-3"], null,
            "All backups that there are can be read with it alone: begin a new repository with Platform:Backup:Directory, and keep the old one with the "
                + "old pass phrase until its backups have expired."),
        new(
            AtRest, "encrypts MongoDB's data on the disk", ["mongo-1, mongo-2 and mongo-3, or mongo-members"], null,
            "The data can be read with it alone, and encrypting it anew is not supported yet: dump the data, './platform clean', and load it again.",
            "secrets/at-rest.key"),
        new(
            Master, "encrypts the tenants' keys, and these personal data", ["api", "migrator", "seeder", "./platform"], null,
            "Keys in the database and in backups are encrypted with it: 'migrator keys rotate' encrypts them with another, as docs/security.md says.",
            "encryption"),
        new(
            "tls-authority", "signs the certificates of MongoDB and Redis", ["the AppHost"],
            $"{NextStart} Clients that were given a copy of ca.pem need the new one.", File: "tls/authority/authority.pem"),
        new("tls-mongo", "the private key of MongoDB's certificate", ["mongo"], NextStart, File: "tls/mongo/server.pem"),
        new("tls-cache", "the private key of Redis's certificate", ["cache"], NextStart, File: "tls/cache/server.pem"),
        new(
            "audit-keys", "sign the lines of the audit log", ["mongo-1, mongo-2 and mongo-3", "./platform"], null,
            "Lines that are there can be verified with them alone: keep them for as long as the log, and begin a new one with "
                + "Platform:Audit:Directory and KeyDirectory.",
            "audit-keys"),
    ];

    private static GeneratedSecret OfProgram(string program) =>
        new(
            $"mongo-{program}-password", $"the password of {program}'s user in MongoDB", ["access", program], NextStart,
            Login: new(IsRedis: false, program));
}
