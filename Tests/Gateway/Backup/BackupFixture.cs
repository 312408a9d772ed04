using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Agent;
using Platform.Backup.Engines;
using Platform.Backup.Hosting;
using Platform.Backup.Restoring;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>A replica set that archives into a repository of its own, and what the agent is made of.</summary>
public sealed class BackupFixture : IAsyncLifetime
{
    /// <summary>The pass phrase of the repository.</summary>
    public const string PassPhrase = "correct-horse-battery-staple";

    private readonly int _members;
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("backup-");
    private ReplicaSetFixture? _set;

    /// <summary>Makes one with a set of one member.</summary>
    public BackupFixture()
        : this(1)
    {
    }

    private BackupFixture(int members) => _members = members;

    /// <summary>The replica set.</summary>
    public ReplicaSetFixture Set => _set ?? throw new InvalidOperationException("The replica set does not run.");

    /// <summary>The directory of the backups.</summary>
    public string Directory => Path.Combine(_directory.FullName, "backups");

    /// <summary>The repository in it.</summary>
    public string Repository => Path.Combine(Directory, "repository");

    /// <summary>Starts one. Skips the test when this machine cannot run it.</summary>
    public static async Task<BackupFixture> StartAsync(int members)
    {
        var fixture = new BackupFixture(members);
        try
        {
            await fixture.InitializeAsync();
            Require();
            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    /// <summary>Skips the test when this machine cannot run it.</summary>
    public static void Require()
    {
        var reason = ServerImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
    }

    /// <summary>The settings of the agent and its commands, as environment variables.</summary>
    public Dictionary<string, string?> Settings(params (string Key, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            [SettingNames.BackupDirectory] = Directory,
            [SettingNames.BackupPassPhrase] = PassPhrase,
            [SettingNames.BackupSocketDirectory] = Set.Sockets,
            [SettingNames.BackupServerImage] = ServerImage.Directory,
            [SettingNames.BackupNativeScripts] = Path.GetDirectoryName(ServerImage.Script("postgres")),
            [SettingNames.BackupGatewayProgram] = BuiltProgram.Path("Gateway"),
        };
        for (var member = 1; member <= _members; member++)
        {
            settings[FormattableString.Invariant($"{SettingNames.BackupMembers}{member - 1}")] = Set.DataOf(member);
        }

        foreach (var (key, value) in more)
        {
            settings[$"Backup__{key}"] = value;
        }

        return settings;
    }

    /// <summary>A host with all that the agent works with, not started.</summary>
    /// <param name="time">Its clock; null for the machine's.</param>
    /// <param name="more">Further settings.</param>
    internal IHost Host(TimeProvider? time = null, params (string Key, string Value)[] more)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(
            Settings(more).Select(setting => KeyValuePair.Create(setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.None);
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        builder.AddBackups();
        builder.Services.AddSingleton<AgentState>();
        builder.Services.AddSingleton<BackupAgent>();
        return builder.Build();
    }

    /// <summary>As <see cref="Host"/>, with a backup in the repository. Skips the test when this machine cannot run it.</summary>
    /// <param name="cancellationToken">Ends the backup.</param>
    /// <param name="more">Further settings.</param>
    internal async Task<IHost> HostWithBackupAsync(CancellationToken cancellationToken, params (string Key, string Value)[] more)
    {
        Require();
        var host = Host(null, more);
        if ((await host.Services.GetRequiredService<IBackupEngine>().BackupsAsync(cancellationToken)).Count == 0)
        {
            await host.Services.GetRequiredService<BackupWork>().RunAsync(cancellationToken);
        }

        return host;
    }

    /// <summary>Restores beside, and returns the keys (texts) of the collection <c>c</c> in the copy, in order.</summary>
    internal static async Task<IReadOnlyList<string>> RestoredKeysAsync(
        IHost host, RestoreTarget target, IMongoDatabase database, CancellationToken cancellationToken)
    {
        var (copy, _) = await host.Services.GetRequiredService<RestoreWork>().OpenAsync(target, cancellationToken);
        await using (copy)
        {
            using var client = new MongoClient(copy.ConnectionString);
            var found = await client.GetDatabase(database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>("c")
                .Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(cancellationToken);
            return [.. found.Select(document => document["_id"].AsString).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Runs a command of the backups in a process of its own.</summary>
    internal async Task<ProgramResult> RunAsync(
        string[] words, CancellationToken cancellationToken, IMongoDatabase? live = null, params (string Key, string Value)[] more)
    {
        var start = new System.Diagnostics.ProcessStartInfo(BuiltProgram.Path("Backup"), words);
        foreach (var (key, value) in Settings())
        {
            start.Environment[key] = value;
        }

        foreach (var (key, value) in more)
        {
            start.Environment[key] = value;
        }

        if (live is not null)
        {
            start.Environment["ConnectionStrings__platform"] = Set.ConnectionString.Replace(
                "/?", $"/{live.DatabaseNamespace.DatabaseName}?", StringComparison.Ordinal);
        }

        return await ProgramResult.OfAsync(start, cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        if (ServerImage.WhyUnavailable() is null)
        {
            _set = await ReplicaSetFixture.StartAsync(
                _members, CancellationToken.None,
                (SettingNames.ArchiveRepository, Repository), (SettingNames.ArchivePassPhrase, PassPhrase));
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_set is not null)
        {
            await _set.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }
}
