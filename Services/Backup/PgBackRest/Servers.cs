using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.PgBackRest;

/// <summary>The PostgreSQL servers of the members, by their sockets.</summary>
internal sealed class Servers(IOptions<BackupOptions> options)
{
    // The first member's; the next ones count on. The gateway has it, too (GatewayOptions.PostgresPort): the two are held together by a test.
    private const int FirstPort = 5432;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // What was written since the last one is still in memory.
    private static readonly TimeSpan s_checkpointPatience = TimeSpan.FromMinutes(5);

    private readonly BackupOptions _options = options.Value;

    /// <summary>The port of a member's server.</summary>
    /// <param name="member">Its number, from 1.</param>
    public static int PortOf(int member) => FirstPort + member - 1;

    /// <summary>How a member's server is reached.</summary>
    /// <param name="member">Its number.</param>
    /// <param name="patience">How long a statement may take.</param>
    public string ConnectionStringOf(int member, TimeSpan patience) => new NpgsqlConnectionStringBuilder
    {
        // In the environment there may be PG* variables of the caller; what stands here wins.
        Host = _options.SocketDirectory, Port = PortOf(member), Username = "postgres", Database = "postgres", Pooling = false, Timeout = 3,
        CommandTimeout = (int)patience.TotalSeconds, ApplicationName = "backup",
    }.ConnectionString;

    /// <summary>The number of the member that is primary now; null when none answers as such.</summary>
    /// <exception cref="BackupException">Several answer as primary: which of them has the data, a person has to find out.</exception>
    public async Task<int?> PrimaryAsync(CancellationToken cancellationToken)
    {
        var primaries = new List<int>();
        for (var member = 1; member <= _options.Members.Count; member++)
        {
            if (await TryAskAsync(member, "SELECT NOT pg_is_in_recovery()", reader => reader.GetBoolean(0), cancellationToken))
            {
                primaries.Add(member);
            }
        }

        return primaries switch
        {
            [] => null,
            [var one] => one,
            _ => throw new BackupException($"Members {string.Join(" and ", primaries)} both answer as primary; nothing is done while they do."),
        };
    }

    /// <summary>Asks a server for a row; the default when it does not answer.</summary>
    public async Task<T?> TryAskAsync<T>(int member, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(_options.SocketDirectory, string.Create(CultureInfo.InvariantCulture, $".s.PGSQL.{PortOf(member)}"))))
        {
            return default;
        }

        try
        {
            return await AskAsync(member, sql, read, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            // It starts, ends or hangs: it has no answer.
            return default;
        }
    }

    /// <summary>
    /// Sees to it that a server's control file has the timeline on which it writes: after a promotion it has the old one until the first checkpoint, which
    /// takes its time unless somebody asks for it, and pgBackRest copies no server of which the two differ.
    /// </summary>
    /// <param name="member">The number of the primary.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="NpgsqlException">It did not answer.</exception>
    public async Task SettleTimelineAsync(int member, CancellationToken cancellationToken)
    {
        const string isSettled =
            "SELECT timeline_id = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int FROM pg_control_checkpoint()";
        if (!await AskAsync(member, isSettled, row => row.GetBoolean(0), cancellationToken))
        {
            await AskAsync(member, "CHECKPOINT", _ => true, cancellationToken, s_checkpointPatience);
        }
    }

    /// <summary>Asks a server for a row; the default when there is none.</summary>
    /// <exception cref="NpgsqlException">It did not answer.</exception>
    public async Task<T?> AskAsync<T>(
        int member, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringOf(member, patience ?? s_patience));
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? read(reader) : default;
    }
}
