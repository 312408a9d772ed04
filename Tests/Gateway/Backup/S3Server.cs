using System.Globalization;
using Platform.Backup.Policy;

namespace Platform.Tests.Gateway.Backup;

/// <summary>s3rver, which speaks S3, over TLS with a certificate of an authority of its own.</summary>
internal sealed class S3Server : IAsyncDisposable
{
    /// <summary>The bucket.</summary>
    public const string Bucket = "backups";

    /// <summary>What the keys of the copy begin with.</summary>
    public const string Prefix = "shop/db";

    // The only one that it knows, and its secret.
    private const string Key = "S3RVER";

    // Behind the name of each object's file.
    private const string Suffix = "._S3rver_object";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("s3-");
    private readonly int _port = FreePort.Find();
    private readonly TestAuthority _authority;
    private ServerProcess? _process;

    private S3Server()
    {
        _authority = new TestAuthority(_directory);
        OwnerOnly.Write(SecretFile, Key + "\n");
        Directory.CreateDirectory(Data);
    }

    /// <summary>Where it keeps its objects.</summary>
    public string Data => Path.Combine(_directory.FullName, "data");

    /// <summary>What it was asked for since it was started.</summary>
    public IReadOnlyList<string> Requests => _process!.Lines;

    /// <summary>Waits until it tells of so many requests with a word in their addresses. Returns whether there are not more.</summary>
    public async Task<bool> RequestsAsync(string word, int count, CancellationToken cancellationToken)
    {
        await Wait.UntilAsync(() => Count() >= count, $"{count} requests with {word}", cancellationToken);
        return Count() == count;

        int Count() => Requests.Count(line => line.Contains(word, StringComparison.Ordinal));
    }

    private string SecretFile => Path.Combine(_directory.FullName, "secret");

    /// <summary>Starts one. Skips the test when the package is missing.</summary>
    public static async Task<S3Server> StartAsync(CancellationToken cancellationToken)
    {
        NodeTools.Require("s3rver");
        var server = new S3Server();
        try
        {
            await server.GoOnAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The settings of an agent that copies to it, but their section.</summary>
    public (string Key, string Value)[] Settings(params (string Key, string Value)[] more) =>
    [
        ("S3:Bucket", Bucket), ("S3:Prefix", Prefix), ("S3:PathStyle", "true"), ("S3:CaFile", _authority.File("ca.pem")),
        ("S3:Endpoint", string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{_port}")),
        ("S3:AccessKeyId", Key), ("S3:SecretAccessKeyFile", SecretFile), .. more,
    ];

    /// <summary>The same as environment variables.</summary>
    public (string Key, string Value)[] Environment(params (string Key, string Value)[] more) =>
        [.. Settings(more).Select(setting => ($"{BackupOptions.Section}__{setting.Key.Replace(":", "__", StringComparison.Ordinal)}", setting.Value))];

    /// <summary>The file of an object.</summary>
    public string FileOf(string path) => Path.Combine(Data, Bucket, Prefix, path) + Suffix;

    /// <summary>The paths of all objects below the prefix.</summary>
    public IReadOnlyList<string> Objects()
    {
        var root = Path.Combine(Data, Bucket, Prefix);
        return !Directory.Exists(root) ? []
            : [.. Directory.GetFiles(root, "*" + Suffix, SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(root, file)[..^Suffix.Length]).Order(StringComparer.Ordinal)];
    }

    /// <summary>Kills it: it is away.</summary>
    public Task GoAwayAsync() => _process!.KillAsync();

    /// <summary>Starts it, with the objects that it had.</summary>
    public async Task GoOnAsync(CancellationToken cancellationToken)
    {
        _process = ServerProcess.Start(
            "node",
            [
                NodeTools.Program("s3rver", "s3rver.js"), "-d", Data, "-a", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture),
                "--key", _authority.File("server.key"), "--cert", _authority.File("server.pem"), "--no-vhost-buckets", "--configure-bucket", Bucket,
            ],
            []);
        await _process.UntilAsync(
            async () =>
            {
                using var socket = new System.Net.Sockets.TcpClient();
                try
                {
                    await socket.ConnectAsync("127.0.0.1", _port, cancellationToken);
                    return true;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    return false;
                }
            },
            cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.KillAsync();
            await _process.DisposeAsync();
        }

        _authority.Dispose();
        _directory.Delete(recursive: true);
    }
}
