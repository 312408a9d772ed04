using System.Globalization;
using System.Security.Cryptography;
using MongoDB.Bson;
using MongoDB.Driver;
using Npgsql;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.Restoring;

/// <summary>
/// A copy of the database as it was, on a server of its own beside the running one, until it is disposed of: with it go the server and the data. It archives
/// nothing, can only read the repository, and runs no jobs, so that documents do not expire in it.
/// </summary>
internal sealed class RestoredCopy : IAsyncDisposable
{
    private const string User = MongoNames.RootUser;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static int s_count;

    private readonly string _directory;
    // Elsewhere: the path of a socket must be short.
    private readonly DirectoryInfo _sockets = Directory.CreateTempSubdirectory("restored-");
    private readonly List<ChildProgram> _programs = [];
    private readonly string _password = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private int _port;

    private RestoredCopy(string directory) => _directory = directory;

    /// <summary>How MongoDB's clients reach it.</summary>
    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture, $"mongodb://{User}:{_password}@127.0.0.1:{_port}/?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true");

    /// <summary>How its PostgreSQL is reached.</summary>
    public string PostgresConnectionString => $"Host={Sockets};Username=postgres;Database=postgres;Pooling=false;Timeout=3";

    /// <summary>When the last thing that is in it was committed; null when nothing was since the backup.</summary>
    public DateTimeOffset? LastCommit { get; private set; }

    /// <summary>Where its data is, until it is disposed of.</summary>
    public string Data => Path.Combine(_directory, "data");

    private string Sockets => _sockets.FullName;

    /// <summary>Restores, recovers to the target, and lets MongoDB's clients in.</summary>
    /// <param name="engine">What restores.</param>
    /// <param name="options">The settings.</param>
    /// <param name="target">What to restore.</param>
    /// <param name="source">The directory of the backups that the engine restores from.</param>
    /// <param name="cancellationToken">Ends the attempt; nothing is left of it.</param>
    /// <exception cref="BackupException">The target cannot be reached: nothing else is served in its place.</exception>
    public static async Task<RestoredCopy> OpenAsync(
        IBackupEngine engine, BackupOptions options, RestoreTarget target, string source, CancellationToken cancellationToken)
    {
        RemoveLeftovers(options.Directory);
        var name = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}");
        var copy = new RestoredCopy(Path.Combine(ScratchOf(options.Directory), name));
        try
        {
            OwnerOnly.MakeDirectory(copy._directory);
            await File.WriteAllTextAsync(SocketsFileOf(copy._directory), copy.Sockets, cancellationToken);
            await engine.RestoreAsync(target, copy.Data, cancellationToken);
            await copy.RecoverAsync(options, target, source, cancellationToken);
            await copy.LetClientsInAsync(options, cancellationToken);
            return copy;
        }
        catch
        {
            await copy.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var program in Enumerable.Reverse(_programs))
        {
            await program.DisposeAsync();
        }

        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }

        _sockets.Delete(recursive: true);
    }

    /// <summary>Where copies are.</summary>
    public static string ScratchOf(string directory) => Path.Combine(directory, "scratch");

    /// <summary>Removes copies whose process is gone: it was killed, and had no time to.</summary>
    private static void RemoveLeftovers(string directory)
    {
        var scratch = ScratchOf(directory);
        foreach (var copy in Directory.Exists(scratch) ? Directory.GetDirectories(scratch) : [])
        {
            // Its server ends a moment after its process.
            var server = Path.Combine(copy, "data", "cluster", "postmaster.pid");
            if (!IsAlive(Path.GetFileName(copy).Split('-')[0]) && !(File.Exists(server) && IsAlive(File.ReadLines(server).First())))
            {
                if (File.Exists(SocketsFileOf(copy)) && File.ReadAllText(SocketsFileOf(copy)) is var sockets && Directory.Exists(sockets))
                {
                    Directory.Delete(sockets, recursive: true);
                }

                Directory.Delete(copy, recursive: true);
            }
        }
    }

    private static string SocketsFileOf(string directory) => Path.Combine(directory, "sockets");

    private static bool IsAlive(string process) => Directory.Exists($"/proc/{process}");

    private async Task RecoverAsync(BackupOptions options, RestoreTarget target, string source, CancellationToken cancellationToken)
    {
        var server = ChildProgram.Start(
            options.NativeScripts,
            Path.Combine(options.NativeScripts, "postgres"),
            [options.ServerImage, Data, Sockets, "restored"],
            new Dictionary<string, string?>
            {
                [SettingNames.ArchiveRepository] = Path.Combine(source, "repository"),
                [SettingNames.ArchivePassPhrase] = options.PassPhrase,
            });
        _programs.Add(server);
        while (await StateAsync(cancellationToken) is not { IsRecovered: true } state || !Keep(state))
        {
            if (!server.IsRunning)
            {
                throw new BackupException(
                    target.Moment is { } moment && server.Output.Contains("before configured recovery target was reached", StringComparison.Ordinal)
                        ? $"The log in the repository ends before {moment.UtcDateTime:O}: nothing that was committed later is there, so it is not known to be "
                            + "whole until then. 'backup restore --latest' restores all that there is."
                        : $"The copy could not be recovered: {server.Output}",
                    ExitCodes.Refused);
            }

            await Task.Delay(s_pause, cancellationToken);
        }

        bool Keep(State state)
        {
            LastCommit = state.LastCommit;
            return state.IsHarmless ? true : throw new BackupException("The copy would archive or run jobs, which it must not; it is not opened.");
        }
    }

    private async Task<State?> StateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(PostgresConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                """
                SELECT NOT pg_is_in_recovery(), pg_last_xact_replay_timestamp(),
                  current_setting('archive_mode') = 'off' AND current_setting('cron.launch_active_jobs') = 'off'
                """,
                connection);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            return new State(row.GetBoolean(0), row.IsDBNull(1) ? null : row.GetFieldValue<DateTimeOffset>(1), row.GetBoolean(2));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            // It recovers; to refuse connections is its answer.
            return null;
        }
    }

    private async Task LetClientsInAsync(BackupOptions options, CancellationToken cancellationToken)
    {
        _port = LoopbackPorts.Find(1)[0];
        var gateway = ChildProgram.Start(options.NativeScripts, options.GatewayProgram, [], new Dictionary<string, string?>
        {
            [$"ConnectionStrings__{SettingNames.Postgres}"] = $"Host={Sockets};Username=postgres;Database=postgres",
            [SettingNames.GatewayPort] = _port.ToString(CultureInfo.InvariantCulture),
            [SettingNames.GatewayRootUsername] = User,
            [SettingNames.GatewayRootPassword] = _password,
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Logging__LogLevel__Default"] = "Warning",
            // It is nobody's service that is to be watched.
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null,
        });
        _programs.Add(gateway);
        using var client = new MongoClient(ConnectionString + "&serverSelectionTimeoutMS=1000");
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(s_patience);
        while (!await AnswersAsync(client, cancellationToken))
        {
            if (!gateway.IsRunning || late.IsCancellationRequested)
            {
                throw new BackupException($"The copy was recovered, but its gateway does not serve: {gateway.Output}");
            }

            await Task.Delay(s_pause, cancellationToken);
        }
    }

    private static async Task<bool> AnswersAsync(MongoClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), ReadPreference.Primary, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is MongoException or TimeoutException)
        {
            return false;
        }
    }

    private sealed record State(bool IsRecovered, DateTimeOffset? LastCommit, bool IsHarmless);
}
