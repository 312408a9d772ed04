using System.Net;
using System.Text;
using MongoDB.Driver;
using Platform.Audit;
using Platform.Caching.Servers;
using Platform.Mongo.Connections;
using StackExchange.Redis;

namespace Platform.SecurityTool.Stack;

/// <summary>A running stack, as its stack file describes it, and what the checks need to know of it.</summary>
internal sealed class RunningStack
{
    private const int ShortestSecret = 8;

    private readonly Dictionary<string, string> _lines;
    private readonly string _file;
    private readonly ConfigurationOptions _redis;
    private readonly IReadOnlyList<string> _secrets;

    private RunningStack(string file, Dictionary<string, string> lines, AuditSettings audit, string? mark)
    {
        (_file, _lines, Audit, Mark) = (file, lines, audit, mark);
        Mongo = lines.GetValueOrDefault("address.mongo")
            ?? throw new InvalidDataException($"The stack of {file} is not ready: it is {lines.GetValueOrDefault("state") ?? "unknown"}.");
        var url = MongoUrl.Create(Mongo);
        Database = url.DatabaseName ?? ResourceNames.Database;
        MongoServers = [.. url.Servers.Select(server => new DnsEndPoint(server.Host, server.Port))];
        Administrator = url.Username is null ? null : $"{url.Username}@{url.AuthenticationSource ?? url.DatabaseName ?? "admin"}";
        Authority = lines.TryGetValue("address.ca", out var ca) && ca.Length > 0 ? TrustedAuthority.FromFile(ca) : null;
        var redis = lines.GetValueOrDefault("address.redis-nodes") ?? lines.GetValueOrDefault("address.redis");
        _redis = ConfigurationOptions.Parse(RedisAddress.ConnectionStringOf(redis ?? throw new InvalidDataException($"{file} names no Redis.")));
        _redis.Trust(lines.GetValueOrDefault("address.ca"));
        RedisServers = [.. _redis.EndPoints.Select(server => server is IPEndPoint ip ? new DnsEndPoint(ip.Address.ToString(), ip.Port) : (DnsEndPoint)server)];
        Api = lines.TryGetValue("address.api", out var api) && Uri.TryCreate(api, UriKind.Absolute, out var uri) ? uri : null;
        _secrets =
        [
            .. new[] { url.Password, _redis.Password }.Where(secret => secret?.Length >= ShortestSecret)
                .SelectMany(secret => new[] { secret!, Uri.EscapeDataString(secret!) }).Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>The connection string of MongoDB, as the administrator.</summary>
    public string Mongo { get; }

    /// <summary>The administrator's name, with the database that it logs in to; null when there is no login.</summary>
    public string? Administrator { get; }

    /// <summary>The platform's database.</summary>
    public string Database { get; }

    /// <summary>The MongoDB servers.</summary>
    public IReadOnlyList<DnsEndPoint> MongoServers { get; }

    /// <summary>The Redis servers.</summary>
    public IReadOnlyList<DnsEndPoint> RedisServers { get; }

    /// <summary>Who has signed the servers' certificates; null: an authority of the machine, or nobody.</summary>
    public TrustedAuthority? Authority { get; }

    /// <summary>Where the API is; null: nowhere.</summary>
    public Uri? Api { get; }

    /// <summary>The engine, and who chose it.</summary>
    public string Engine => _lines.GetValueOrDefault("engine") ?? "";

    /// <summary>Whether the stack was started to encrypt MongoDB's data on the disk.</summary>
    public bool IsToBeEncryptedAtRest => _lines.GetValueOrDefault("at-rest") == "encrypted";

    /// <summary>Where its servers keep their data; null when the file does not say.</summary>
    public string? DataDirectory => _lines.GetValueOrDefault("data");

    /// <summary>The process that the others were started by; null when the file does not say.</summary>
    public int? Process => int.TryParse(_lines.GetValueOrDefault("pid"), out var id) ? id : null;

    /// <summary>A variable that all processes of the stack have in their environment, as <c>NAME=VALUE</c>; null when none is known.</summary>
    public string? Mark { get; }

    /// <summary>The audit log.</summary>
    public AuditSettings Audit { get; }

    /// <summary>Where the stack keeps what others must not read: its data, the stack file and the logs.</summary>
    public IEnumerable<string> Directories =>
        new[] { Path.GetDirectoryName(_file), _lines.GetValueOrDefault("data") }.OfType<string>().Where(directory => directory.Length > 0);

    /// <summary>Reads a stack file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="audit">Where the stack's audit log is.</param>
    /// <param name="mark">A variable that all processes of the stack have in their environment, as <c>NAME=VALUE</c>; null: none is known.</param>
    /// <exception cref="InvalidDataException">It describes no stack that is ready; the message says so in a sentence.</exception>
    public static RunningStack Read(string file, AuditSettings audit, string? mark = null)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The stack file {file} cannot be read: {exception.Message}", exception);
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                values[line[..equals]] = line[(equals + 1)..];
            }
        }

        return new(Path.GetFullPath(file), values, audit, mark);
    }

    /// <summary>The settings of a client of one server alone.</summary>
    public MongoClientSettings MongoSettings(DnsEndPoint server)
    {
        var settings = MongoTls.SettingsOf(Mongo);
        settings.AskOnly(new MongoServerAddress(server.Host, server.Port));
        settings.ServerSelectionTimeout = settings.ConnectTimeout = TimeSpan.FromSeconds(5);
        return settings;
    }

    /// <summary>The settings of a client of all Redis servers, as the administrator.</summary>
    public ConfigurationOptions RedisOptions()
    {
        var options = _redis.Clone();
        (options.AllowAdmin, options.ClientName, options.ConnectTimeout, options.AbortOnConnectFail) = (true, "platform-security", 3000, true);
        return options;
    }

    /// <summary>The logs that the stack writes beside its stack file.</summary>
    public IEnumerable<string> Logs()
    {
        var directory = Path.GetDirectoryName(_file)!;
        return new[] { directory, Path.Combine(directory, "logs") }.Where(Directory.Exists).SelectMany(at => Directory.EnumerateFiles(at, "*.log"));
    }

    /// <summary>Whether a text has one of the passwords that the stack file has, as it is or as an address has it.</summary>
    public bool HasSecret(string text) => _secrets.Any(secret => text.Contains(secret, StringComparison.Ordinal));

    /// <summary>Whether a file has a key or a password, by what it is called and, where that does not tell, by what it begins with.</summary>
    public static bool IsKey(string file) => Path.GetFileName(file) switch
    {
        "stack" or "audit" or "backup" => true,
        _ when Path.GetFileName(Path.GetDirectoryName(file)) == PasswordFile.DirectoryName => true,
        var name when name.EndsWith(".key", StringComparison.Ordinal) || name.EndsWith(".acl", StringComparison.Ordinal) => true,
        var name when name.EndsWith(".pem", StringComparison.Ordinal) =>
            File.ReadAllText(file, Encoding.Latin1).Contains("PRIVATE KEY", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>Whether there may be keys at or below a directory.</summary>
    public static bool HasKeys(string directory) =>
        Path.GetFileName(directory) is "tls" or "secrets" or "authority" or "mongo" or "cache" or "audit-keys" or "run" or "monitoring"
            or PasswordFile.DirectoryName;
}
