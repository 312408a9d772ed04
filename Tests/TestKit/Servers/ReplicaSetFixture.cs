using System.Globalization;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>
/// A replica set whose members are processes of their own, started by the script that the app graph uses: each can be killed, stopped and
/// started again. As a fixture of a test class it has three members.
/// </summary>
public sealed class ReplicaSetFixture : IAsyncLifetime
{
    /// <summary>The administrative user.</summary>
    public const string User = GatewayFixture.User;

    /// <summary>Its password.</summary>
    public const string Password = GatewayFixture.Password;

    // Making a cluster takes longer than starting one, and each class that uses a set would wait for it.
    private static readonly Lazy<Task<string>> s_template = new(MakeTemplateAsync);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("rs-");
    private int _count;
    private readonly IReadOnlyDictionary<string, string?> _settings;
    private string? _unavailable;
    private MongoClient? _client;

    /// <summary>Makes one of three members.</summary>
    public ReplicaSetFixture()
        : this(3, new Dictionary<string, string?>())
    {
    }

    private ReplicaSetFixture(int members, IReadOnlyDictionary<string, string?> settings)
    {
        _count = members;
        _settings = settings;
    }

    /// <summary>The members, in the order of their numbers.</summary>
    public IReadOnlyList<ReplicaSetMember> Members { get; private set; } = [];

    /// <summary>A client of the whole set that is logged in as the administrative user.</summary>
    public MongoClient Client => _client ?? throw new InvalidOperationException("The replica set does not run.");

    /// <summary>The connection string of the whole set, with majority writes and retries as drivers have them.</summary>
    public string ConnectionString => $"mongodb://{Uri.EscapeDataString(User)}:{Uri.EscapeDataString(Password)}@"
        + string.Join(',', Members.Select(m => m.Host)) + "/?authSource=admin&authMechanism=SCRAM-SHA-256&replicaSet=rs0&w=majority";

    /// <summary>Starts one, and returns when it has a primary and all others follow it. Skips the test when this machine cannot run it.</summary>
    /// <param name="members">How many members.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="settings">Further environment variables of the gateways.</param>
    public static async Task<ReplicaSetFixture> StartAsync(
        int members, CancellationToken cancellationToken, params (string Name, string? Value)[] settings)
    {
        var set = new ReplicaSetFixture(members, settings.ToDictionary(s => s.Name, s => s.Value));
        try
        {
            await set.StartOnTemplateAsync(cancellationToken);
            set.Require();
            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// One that is not started: <see cref="DataOf"/> says where a member will look for its data, <see cref="ResizeAsync"/> starts it.
    /// </summary>
    /// <param name="settings">Further environment variables of the gateways.</param>
    public static ReplicaSetFixture Prepare(params (string Name, string? Value)[] settings) => new(0, settings.ToDictionary(s => s.Name, s => s.Value));

    /// <summary>Where a member keeps its data.</summary>
    public string DataOf(int member) => ReplicaSetMember.DataOf(_directory.FullName, member);

    /// <summary>Where the sockets are.</summary>
    public string Sockets => ReplicaSetMember.SocketsOf(_directory.FullName);

    /// <summary>Stops all members in good order and starts so many, or none, on the same data.</summary>
    public async Task ResizeAsync(int members, CancellationToken cancellationToken)
    {
        await Task.WhenAll(Members.Select(m => m.DisposeAsync().AsTask()));
        _client?.Dispose();
        Members = [];
        _count = members;
        if (members > 0)
        {
            await StartAsync(cancellationToken);
        }
    }

    /// <summary>A database that is this test's alone.</summary>
    public IMongoDatabase NewDatabase()
    {
        Require();
        return Client.GetDatabase("t" + Guid.NewGuid().ToString("N"));
    }

    /// <summary>Skips the test when this machine cannot run the engine.</summary>
    public void Require() => Assert.SkipWhen(_unavailable is not null, _unavailable ?? "");

    /// <summary>The member that is primary now, after waiting for one.</summary>
    public async Task<ReplicaSetMember> PrimaryAsync(CancellationToken cancellationToken)
    {
        ReplicaSetMember? primary = null;
        await Wait.UntilAsync(
            async () =>
            {
                var hellos = await Task.WhenAll(Members.Where(m => m.IsRunning).Select(async m => (Member: m, Hello: await m.HelloAsync(cancellationToken))));
                primary = hellos.Where(h => h.Hello?["isWritablePrimary"].AsBoolean == true).Select(h => h.Member).FirstOrDefault();
                return primary is not null;
            },
            () => $"one of the members is primary. {Output}",
            Wait.Patience,
            cancellationToken);
        return primary!;
    }

    /// <summary>Waits until one member is primary and all others that run follow it.</summary>
    public async Task UntilWholeAsync(CancellationToken cancellationToken) => await Wait.UntilAsync(
        async () =>
        {
            var hellos = await Task.WhenAll(Members.Where(m => m.IsRunning).Select(m => m.HelloAsync(cancellationToken)));
            if (hellos.Any(h => h is null) || hellos.Count(h => h!["isWritablePrimary"].AsBoolean) != 1
                || hellos.Count(h => h!["secondary"].AsBoolean) != hellos.Length - 1)
            {
                return false;
            }

            var primary = hellos.Single(h => h!["isWritablePrimary"].AsBoolean)!["me"].AsString;
            var statuses = await Task.WhenAll(Members.Where(m => m.IsRunning).Select(m => m.StatusAsync(cancellationToken)));
            return statuses.All(s => s is not null && (s["myState"] == 1 || s["syncSourceHost"] == primary));
        },
        () => $"one member is primary and the others follow it. {Output}",
        Wait.Patience,
        cancellationToken);

    /// <summary>The latest of what the members wrote.</summary>
    public string Output => string.Join(Environment.NewLine, Members.Select(m => $"--- member {m.Number}{Environment.NewLine}{m.Output}"));

    /// <inheritdoc />
    public async ValueTask InitializeAsync() => await StartOnTemplateAsync(CancellationToken.None);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await Task.WhenAll(Members.Select(m => m.DisposeAsync().AsTask()));
        _directory.Delete(recursive: true);
    }

    /// <summary>The data of a set of one that nobody has used. All members of a new set begin as copies of it.</summary>
    private static async Task<string> MakeTemplateAsync()
    {
        var set = Prepare();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => set._directory.Delete(recursive: true);
        await set.ResizeAsync(1, CancellationToken.None);
        await set.ResizeAsync(0, CancellationToken.None);
        return set.DataOf(1);
    }

    private async Task StartOnTemplateAsync(CancellationToken cancellationToken)
    {
        if (ServerImage.WhyUnavailable() is null)
        {
            var template = await s_template.Value.WaitAsync(cancellationToken);
            for (var member = 1; member <= _count; member++)
            {
                var copy = await ProgramResult.OfAsync(new("cp", ["-a", "--reflink=auto", template, DataOf(member)]), cancellationToken);
                Assert.True(copy.ExitCode == 0, copy.Errors);
            }
        }

        await StartAsync(cancellationToken);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _unavailable = ServerImage.WhyUnavailable();
        if (_unavailable is not null)
        {
            return;
        }

        var ports = FreePort.Find(_count);
        var hosts = string.Join(',', ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")));
        Members = [.. ports.Select((port, i) => new ReplicaSetMember(i + 1, port, hosts, _directory.FullName, _settings))];
        foreach (var member in Members)
        {
            member.Start();
        }

        _client = new MongoClient(ConnectionString);
        await UntilWholeAsync(cancellationToken);
    }
}
