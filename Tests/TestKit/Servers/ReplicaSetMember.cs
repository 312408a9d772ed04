using System.Globalization;
using System.Runtime.InteropServices;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>A member of a replica set: the script, its gateway, and the PostgreSQL of that one.</summary>
public sealed partial class ReplicaSetMember : IAsyncDisposable
{
    private const int KillAtOnce = 9;
    private const int StopNow = 19;
    private const int GoOn = 18;

    private readonly string _hosts;
    private readonly string _directory;
    private readonly IReadOnlyDictionary<string, string?> _settings;
    private readonly MongoClient _client;
    private readonly List<int> _stopped = [];
    private ServerProcess? _process;

    internal ReplicaSetMember(int number, int port, string hosts, string directory, IReadOnlyDictionary<string, string?> settings)
    {
        (Number, Port, _hosts, _directory, _settings) = (number, port, hosts, directory, settings);
        _client = new MongoClient(DirectConnectionString + "&serverSelectionTimeoutMS=1000&connectTimeoutMS=1000&socketTimeoutMS=2000");
    }

    /// <summary>Its number, from 1.</summary>
    public int Number { get; }

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Where clients reach it, as <c>host:port</c>.</summary>
    public string Host => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>The connection string of this member alone, for the administrative user.</summary>
    public string DirectConnectionString =>
        $"mongodb://{Uri.EscapeDataString(ReplicaSetFixture.User)}:{Uri.EscapeDataString(ReplicaSetFixture.Password)}@{Host}"
        + "/?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true";

    /// <summary>How to reach its PostgreSQL.</summary>
    public string PostgresConnectionString => string.Create(
        CultureInfo.InvariantCulture, $"Host={SocketsOf(_directory)};Port={5431 + Number};Username=postgres;Database=postgres");

    /// <summary>Where its data is.</summary>
    public string DataDirectory => DataOf(_directory, Number);

    /// <summary>Whether its script runs.</summary>
    public bool IsRunning => _process is { IsRunning: true };

    /// <summary>The latest of what it wrote.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>The latest lines that it wrote, many more than of <see cref="Output"/>.</summary>
    public IReadOnlyList<string> Lines => _process?.Lines ?? [];

    /// <summary>The process of its gateway; null while there is none.</summary>
    public int? Gateway => _process is { IsRunning: true } process ? Children(process.Id).Where(IsGateway).Select(id => (int?)id).FirstOrDefault() : null;

    /// <summary>The first process of its PostgreSQL; null while there is none.</summary>
    public int? Postgres => Gateway is { } gateway
        ? Descendants(gateway).Where(id => Command(id).StartsWith("postgres\0-D", StringComparison.Ordinal)).Select(id => (int?)id).FirstOrDefault()
        : null;

    /// <summary>Starts it.</summary>
    public void Start()
    {
        Assert.False(IsRunning);
        var environment = new Dictionary<string, string?>
        {
            ["Gateway__Members"] = _hosts,
            ["Gateway__Member"] = Number.ToString(CultureInfo.InvariantCulture),
            ["Gateway__DataDirectory"] = DataDirectory,
            ["Gateway__SocketDirectory"] = SocketsOf(_directory),
            ["Gateway__ServerImage"] = ServerImage.Directory,
            ["Gateway__NativeScripts"] = ServerImage.Script(""),
            ["Gateway__RootUsername"] = ReplicaSetFixture.User,
            ["Gateway__RootPassword"] = ReplicaSetFixture.Password,
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__Platform.Gateway.Replication"] = "Information",
            ["Logging__LogLevel__Platform.Gateway.ChangeStreams"] = "Information",
        };
        foreach (var (name, value) in _settings)
        {
            environment[name] = value;
        }

        _process = ServerProcess.Start(ServerImage.Script("member"), [BuiltProgram.Path("Gateway")], environment);
    }

    /// <summary>What it says about itself; null when it does not answer.</summary>
    public Task<BsonDocument?> HelloAsync(CancellationToken cancellationToken) => AskAsync("hello", cancellationToken);

    /// <summary>What it knows of the set; null when it does not answer.</summary>
    public Task<BsonDocument?> StatusAsync(CancellationToken cancellationToken) => AskAsync("replSetGetStatus", cancellationToken);

    /// <summary>Kills the first process of its PostgreSQL, and so all of them.</summary>
    public void KillPostgres() => KillOne(Postgres, "PostgreSQL");

    /// <summary>Kills its gateway.</summary>
    public void KillGateway() => KillOne(Gateway, "gateway");

    /// <summary>Kills all of it, so that it stays away until it is started again.</summary>
    public async Task KillAsync()
    {
        if (_process is { IsRunning: true } process)
        {
            foreach (var id in Freeze(process.Id))
            {
                _ = Kill(id, KillAtOnce);
            }

            await process.UntilEndedAsync();
        }
    }

    /// <summary>Stops all of its processes where they are, as if the machine stood still.</summary>
    public void Stop()
    {
        Assert.True(IsRunning);
        _stopped.AddRange(Freeze(_process!.Id));
    }

    /// <summary>Stops the processes of its PostgreSQL where they are.</summary>
    public void StopPostgres() => _stopped.AddRange(Freeze(Assert.NotNull(Postgres)));

    /// <summary>Stops its gateway where it is.</summary>
    public void StopGateway()
    {
        var gateway = Assert.NotNull(Gateway);
        _ = Kill(gateway, StopNow);
        _stopped.Add(gateway);
    }

    /// <summary>Lets the stopped processes go on.</summary>
    public void Continue()
    {
        foreach (var id in _stopped)
        {
            _ = Kill(id, GoOn);
        }

        _stopped.Clear();
    }

    /// <summary>Stops it in good order.</summary>
    public async Task ShutDownAsync()
    {
        if (_process is { } process)
        {
            await process.TerminateAsync();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Continue();
        _client.Dispose();
        if (_process is { } process)
        {
            await process.DisposeAsync();
        }
    }

    internal static string DataOf(string directory, int member) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"m{member}"));

    internal static string SocketsOf(string directory) => Path.Combine(directory, "s");

    private async Task<BsonDocument?> AskAsync(string command, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument(command, 1), ReadPreference.Nearest, cancellationToken);
        }
        catch (Exception exception) when (exception is MongoException or TimeoutException)
        {
            // It starts, ends or hangs: it has no answer.
            return null;
        }
    }

    private static void KillOne(int? process, string what)
    {
        Assert.True(process.HasValue, $"The {what} does not run.");
        Assert.Equal(0, Kill(process.Value, KillAtOnce));
    }

    private static bool IsGateway(int id) => Command(id).Contains("Platform.Gateway", StringComparison.Ordinal);

    /// <summary>
    /// Stops a process and all below it where they are. Until it is stopped, each of them may make another one, so this looks until there is none.
    /// </summary>
    private static List<int> Freeze(int root)
    {
        List<int> frozen = [];
        while (((int[])[root, .. Descendants(root)]).Except(frozen).ToList() is { Count: > 0 } found)
        {
            found.ForEach(id => _ = Kill(id, StopNow));
            frozen.AddRange(found);
        }

        return frozen;
    }

    private static IEnumerable<int> Descendants(int id) => Children(id).SelectMany(child => (IEnumerable<int>)[child, .. Descendants(child)]);

    private static List<int> Children(int id)
    {
        try
        {
            // A process that was started by a thread is that thread's child.
            return
            [
                .. Directory.GetDirectories($"/proc/{id}/task")
                    .SelectMany(thread => Read(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    .Select(child => int.Parse(child, CultureInfo.InvariantCulture)),
            ];
        }
        catch (IOException)
        {
            // It has ended.
            return [];
        }
    }

    private static string Command(int id) => Read($"/proc/{id}/cmdline");

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // The process, or the thread, has ended.
            return "";
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
