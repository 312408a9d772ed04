using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>What this member asks of its own PostgreSQL, and of the primary's, to replicate.</summary>
internal sealed class LocalDatabase : IAsyncDisposable
{
    // It is in the log like every other table, so who has the row of a term has all that came before it.
    private const string Terms = """
        DO $$ BEGIN
          SET LOCAL synchronous_commit = local;
          CREATE SCHEMA IF NOT EXISTS platform_gateway;
          CREATE TABLE IF NOT EXISTS platform_gateway.terms (
            term bigint PRIMARY KEY, member int NOT NULL, timeline int NOT NULL, start_lsn pg_lsn NOT NULL, elected_at timestamptz NOT NULL DEFAULT now());
        END $$
        """;

    private const int QuietLooks = 4;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_replayPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_promotionPatience = TimeSpan.FromSeconds(30);

    private readonly GatewayOptions _settings;
    private readonly ReplicaSet _replicaSet;
    private readonly WriteAheadLog _log;
    private readonly Lazy<ControlConnection> _control;
    private readonly Lazy<ControlConnection> _watch;

    /// <summary>Connects when it is needed.</summary>
    public LocalDatabase(IOptions<GatewayOptions> options, ReplicaSet replicaSet)
    {
        _settings = options.Value;
        _replicaSet = replicaSet;
        // A gateway that does not run its PostgreSQL has no directory of sockets, and asks for neither.
        _control = new(() => ConnectionTo(replicaSet.Self.Number));
        _watch = new(() => ConnectionTo(replicaSet.Self.Number));
        _log = new(_settings.IsEncryptedAtRest
            ? new WalByQuery(_watch)
            : new WalDirectory(Path.Combine(_settings.DataDirectory ?? "", "cluster", "pg_wal")));
    }

    /// <summary>How to reach the PostgreSQL of a member.</summary>
    public static string ConnectionString(GatewayOptions settings, int member) => string.Create(
        CultureInfo.InvariantCulture, $"Host={settings.SocketDirectory};Port={GatewayOptions.PostgresPort(member)};Username=postgres;Database=postgres");

    /// <summary>Writes which primary is followed; null for none. It counts from the next start or <see cref="ReloadAsync"/> on.</summary>
    public void Configure(Member? source)
    {
        var port = GatewayOptions.PostgresPort(_replicaSet.Self.Number);
        var name = PostgresServer.SlotOf(_replicaSet.Self.Number);
        var others = _replicaSet.Members.Count > 1
            ? $"ANY {_replicaSet.Majority - 1} ({string.Join(", ", _replicaSet.Members.Select(m => PostgresServer.SlotOf(m.Number)))})"
            : "";
        var primary = source is null
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"host=/run/postgresql port={GatewayOptions.PostgresPort(source.Number)} user=postgres dbname=postgres application_name={name}");
        string[] lines =
        [
            "# Written by the gateway of this member.",
            string.Create(CultureInfo.InvariantCulture, $"port = {port}"),
            $"cluster_name = '{name}'",
            // A commit that the extension makes on a connection of its own is covered by the one of the command, which waits as it was asked to.
            string.Create(
                CultureInfo.InvariantCulture,
                $"documentdb.localhost_connection_string = 'host=/run/postgresql port={port} options=''-c synchronous_commit=local'''"),
            $"synchronous_standby_names = '{others}'",
            $"primary_conninfo = '{primary}'",
            $"primary_slot_name = '{(source is null ? "" : name)}'",
            // Before an election, what was received has to be there, whoever reads something that it changes.
            $"max_standby_streaming_delay = {(source is null ? "0" : "30s")}",
            // It says at each attempt that there is nothing to come; a change of the configuration ends the wait.
            $"wal_retrieve_retry_interval = {(source is null ? "10s" : "200ms")}",
        ];
        var path = Path.Combine(_settings.DataDirectory!, "member.conf");
        File.WriteAllLines(path + ".new", lines);
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Makes the server read its configuration again.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken) => await _control.Value.RowAsync("SELECT pg_reload_conf()", cancellationToken);

    /// <summary>
    /// Where this member is, to be told to others: cheap, and never in the way of what else is asked. <c>Standbys</c> counts those that
    /// are connected.
    /// </summary>
    public async Task<Sample> SampleAsync(CancellationToken cancellationToken)
    {
        var row = await _watch.Value.RowAsync(
            """
            SELECT pg_is_in_recovery(),
              CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_flush_lsn() END,
              CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END,
              (SELECT status FROM pg_stat_wal_receiver), (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming')
            """,
            cancellationToken);
        var (received, applied) = (LsnOf(row[1]), LsnOf(row[2]));
        return new Sample(
            row[0] == "t",
            await IsMoreToReplayAsync(applied, received, cancellationToken) ? received : applied,
            applied,
            row[3] == "streaming",
            int.Parse(row[4]!, CultureInfo.InvariantCulture));
    }

    /// <summary>Whether it takes connections. One that does not yet, or not any more, says so by refusing them.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _control.Value.RowAsync("SELECT 1", cancellationToken);
            return true;
        }
        catch (Exception e) when (IsAway(e))
        {
            return false;
        }
    }

    /// <summary>Whether a failure means that the server is away, or hangs.</summary>
    public static bool IsAway(Exception exception) => exception is SocketException or IOException or TimeoutException
        || exception is PostgresException { SqlState: "57P01" or "57P02" or "57P03" or "53300" };

    /// <summary>
    /// Cuts this standby from its primary, which from then on gets no confirmation from here, and returns how much it has. All of that is
    /// replayed when this returns. A record that did not arrive whole does not count: no write that was acknowledged ends in it.
    /// </summary>
    public async Task<Position> CutAsync(CancellationToken cancellationToken)
    {
        Configure(null);
        await ReloadAsync(cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_replayPatience);
        try
        {
            // The process that starts the receiver reads its configuration itself: where none runs, it may be about to start one.
            for (var quiet = 0; ;)
            {
                var row = await _control.Value.RowAsync(
                    """
                    SELECT (SELECT count(*) FROM pg_stat_wal_receiver) = 0 AND current_setting('primary_conninfo') = '',
                      pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), to_regclass('platform_gateway.terms') IS NOT NULL,
                      EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'RecoveryRetrieveRetryInterval')
                    """,
                    patience.Token);
                var replayed = LsnOf(row[2]);
                // Where nothing was received since the start there is what lay on the disk: all of it is read when it waits for the first time.
                var isAtEnd = row[1] is null ? row[4] == "t" : !await IsMoreToReplayAsync(replayed, LsnOf(row[1]), patience.Token);
                quiet = row[0] == "t" && isAtEnd ? quiet + 1 : 0;
                if (quiet == QuietLooks)
                {
                    var term = row[3] == "t"
                        ? (await _control.Value.RowAsync("SELECT coalesce(max(term), 0) FROM platform_gateway.terms", patience.Token))[0]
                        : "0";
                    return new Position(long.Parse(term!, CultureInfo.InvariantCulture), replayed);
                }

                await Task.Delay(s_pause, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("PostgreSQL did not end its replication, or did not replay all of it, in time.");
        }
    }

    /// <summary>The last term whose row this member has.</summary>
    public async Task<long> LastTermAsync(CancellationToken cancellationToken) =>
        (await _watch.Value.RowAsync("SELECT to_regclass('platform_gateway.terms') IS NOT NULL", cancellationToken))[0] == "t"
            ? long.Parse(
                (await _watch.Value.RowAsync("SELECT coalesce(max(term), 0) FROM platform_gateway.terms", cancellationToken))[0]!,
                CultureInfo.InvariantCulture)
            : 0;

    /// <summary>Makes it a primary: first the server, then the row of the term, before which no write of this term is taken.</summary>
    public async Task PromoteAsync(long term, CancellationToken cancellationToken)
    {
        var promoted = await _control.Value.RowAsync(
            string.Create(CultureInfo.InvariantCulture, $"SELECT pg_promote(true, {s_promotionPatience.TotalSeconds:0})"),
            cancellationToken,
            s_promotionPatience);
        if (promoted[0] != "t")
        {
            throw new TimeoutException("PostgreSQL did not end its recovery in time.");
        }

        await _control.Value.RowsAsync(Terms, cancellationToken);
        await _control.Value.RowsAsync("SET synchronous_commit = local", cancellationToken);
        await _control.Value.RowsAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                WITH own AS (SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline),
                  history AS (SELECT timeline, pg_read_file('pg_wal/' || upper(lpad(to_hex(timeline), 8, '0')) || '.history') AS lines FROM own)
                INSERT INTO platform_gateway.terms (term, member, timeline, start_lsn)
                SELECT {term}, {_replicaSet.Self.Number}, timeline, (SELECT place[1]::pg_lsn
                  FROM regexp_matches(lines, '\t([0-9A-F]+/[0-9A-F]+)\t', 'g') WITH ORDINALITY AS r(place, number) ORDER BY number DESC LIMIT 1)
                FROM history
                """),
            cancellationToken);
        foreach (var member in _replicaSet.Others)
        {
            await EnsureSlotAsync(_control.Value, member.Number, cancellationToken);
        }
    }

    /// <summary>Drops what this member kept for others while it was primary: it would keep its log for ever.</summary>
    public async Task DropSlotsAsync(CancellationToken cancellationToken) => await _control.Value.RowsAsync(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active", cancellationToken);

    /// <summary>What this member has to do to follow a primary, and where that one is.</summary>
    public async Task<Kinship> CompareAsync(Member primary, long followed, Lsn end, CancellationToken cancellationToken)
    {
        await using var other = ConnectionTo(primary.Number);
        var mine = (await _control.Value.RowAsync("SELECT system_identifier FROM pg_control_system()", cancellationToken))[0];
        var theirs = await other.RowAsync("SELECT system_identifier, pg_current_wal_flush_lsn() FROM pg_control_system()", cancellationToken);
        if (mine != theirs[0])
        {
            return Kinship.Foreign;
        }

        var rows = await other.RowsAsync("SELECT term, start_lsn FROM platform_gateway.terms", cancellationToken);
        var history = new TermHistory(rows.Select(r => (long.Parse(r[0]!, CultureInfo.InvariantCulture), LsnOf(r[1]))));
        return history.Judge(followed, end, LsnOf(theirs[1]));
    }

    /// <summary>Has the primary keep its log for this member. Returns false when what this one needs is gone already.</summary>
    public async Task<bool> ReserveAsync(Member primary, CancellationToken cancellationToken)
    {
        await using var other = ConnectionTo(primary.Number);
        return await EnsureSlotAsync(other, _replicaSet.Self.Number, cancellationToken);
    }

    /// <summary>Has the primary write down all that is in its memory: a rewind compares with what is on its disk.</summary>
    public async Task CheckpointAsync(Member primary, CancellationToken cancellationToken)
    {
        await using var other = ConnectionTo(primary.Number);
        await other.RowsAsync("CHECKPOINT", cancellationToken, s_promotionPatience);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var connection in (Lazy<ControlConnection>[])[_control, _watch])
        {
            if (connection.IsValueCreated)
            {
                await connection.Value.DisposeAsync();
            }
        }
    }

    private static async Task<bool> EnsureSlotAsync(ControlConnection connection, int member, CancellationToken cancellationToken)
    {
        var name = PostgresServer.SlotOf(member);
        var found = await connection.RowsAsync($"SELECT coalesce(wal_status, '') FROM pg_replication_slots WHERE slot_name = '{name}'", cancellationToken);
        var isLost = found is [["lost"], ..];
        if (isLost)
        {
            await connection.RowsAsync($"SELECT pg_drop_replication_slot('{name}')", cancellationToken);
        }

        if (isLost || found.Count == 0)
        {
            await connection.RowsAsync($"SELECT pg_create_physical_replication_slot('{name}', true)", cancellationToken);
        }

        return !isLost;
    }

    private async ValueTask<bool> IsMoreToReplayAsync(Lsn replayed, Lsn received, CancellationToken cancellationToken) =>
        received > replayed && await _log.HasRecordAsync(replayed, received, cancellationToken);

    private static Lsn LsnOf(string? text) => text is null ? Lsn.None : Lsn.Parse(text);

    private ControlConnection ConnectionTo(int member) => new(PostgresSettings.Parse(ConnectionString(_settings, member)), _settings.ElectionTimeout);
}

/// <summary>Where a member is.</summary>
/// <param name="IsStandby">Whether it takes no writes.</param>
/// <param name="Received">How far its log goes: to the end of the last record that is whole, when all before it is replayed.</param>
/// <param name="Applied">What reads on it see.</param>
/// <param name="IsStreaming">Whether it is connected to a primary.</param>
/// <param name="Standbys">How many are connected to it.</param>
internal sealed record Sample(bool IsStandby, Lsn Received, Lsn Applied, bool IsStreaming, int Standbys);
