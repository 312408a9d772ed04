using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Scram;

namespace Platform.Gateway.Backend;

/// <summary>Waits for PostgreSQL and makes it ready for clients: the extension and the administrative user.</summary>
internal sealed partial class BackendStartup(
    PostgresSettings source,
    MemberState state,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<BackendStartup> logger)
{
    // The access method whose indexes can be read in order comes with an extension of its own; where the server's settings ask
    // for it, no index can be created until it is there.
    private const string OrderedIndexes = """
        DO $$ BEGIN
          IF current_setting('documentdb.alternate_index_handler_name', true) = 'extended_rum' THEN
            CREATE EXTENSION IF NOT EXISTS documentdb_extended_rum;
          END IF;
        END $$
        """;

    // The extension's scheduler numbers the runs of its jobs. With the numbers in the log it waits for standbys as writers do, and what it sees
    // meanwhile keeps an index from being built: for as long as no majority is there.
    private const string UnloggedRuns = """
        DO $$ BEGIN
          -- Its numbers begin anew after a crash, which a log of the runs would not take.
          IF current_setting('cron.log_run', true) = 'off'
            AND (SELECT relpersistence FROM pg_class WHERE oid = to_regclass('cron.runid_seq')) = 'p' THEN
            ALTER SEQUENCE cron.runid_seq SET UNLOGGED;
          END IF;
        END $$
        """;

    // What a $merge that was cut off has left; the server, too, drops these at its start.
    private const string LeftBehind = $$"""
        DO $$ BEGIN
          PERFORM documentdb_api.drop_collection(database_name, collection_name)
          FROM documentdb_api_catalog.collections WHERE collection_name ~ '^{{TemporaryCollections.Pattern}}$';
        END $$
        """;

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Prepares the backend and lets commands in. Throws <see cref="BackendStartupException"/> when PostgreSQL does not
    /// answer in time or cannot be prepared.
    /// </summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await using var connection = new BackendConnection(await WaitAsync(options.Value.StartupTimeout, cancellationToken), state.Generation);
        try
        {
            await SetUpAsync(connection, cancellationToken);
            var version = await connection.Command(Statements.Version).SingleAsync<string>(cancellationToken);
            LogReady(version ?? "unknown", Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception e) when (e is PostgresException or SocketException or IOException)
        {
            throw new BackendStartupException($"PostgreSQL could not be prepared for DocumentDB: {e.Message}", e);
        }

        state.Found();
    }

    /// <summary>
    /// Makes a PostgreSQL that takes writes ready for clients: the extension, the gateway's own schema, the administrative user. What is there
    /// already stays.
    /// </summary>
    public async Task SetUpAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        await connection.RunAsync("CREATE EXTENSION IF NOT EXISTS documentdb CASCADE", cancellationToken);
        await NameRolesAsync(connection, cancellationToken);
        await connection.RunAsync(Statements.OwnSchema, cancellationToken);
        await connection.RunAsync(OrderedIndexes, cancellationToken);
        await connection.RunAsync(UnloggedRuns, cancellationToken);
        await connection.RunAsync(LeftBehind, cancellationToken);
        await EnsureRootAsync(connection, cancellationToken);
    }

    /// <summary>Waits until PostgreSQL takes a connection again after it was lost.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        await using var connection = await WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        LogRecovered();
        state.Found();
    }

    private async Task<PostgresConnection> WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var pause = s_firstPause;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await PostgresConnection.OpenAsync(source, BusyWait.None, cancellationToken);
            }
            catch (Exception e) when (IsNotYetThere(e))
            {
                var elapsed = Stopwatch.GetElapsedTime(started);
                if (limit != Timeout.InfiniteTimeSpan && elapsed + pause > limit)
                {
                    throw new BackendStartupException($"PostgreSQL did not answer within {limit.TotalSeconds:0} s: {e.Message}", e);
                }

                LogWaiting(attempt, e.Message);
                await Task.Delay(pause, time, cancellationToken);
                pause = pause * 2 > s_longestPause ? s_longestPause : pause * 2;
            }
        }
    }

    // Not there, refusing, starting up or shutting down, or full; a wrong user or database name is final.
    private static bool IsNotYetThere(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.SqlState is "57P03" or "57P01" or "57P02" or "53300",
        SocketException or IOException or TimeoutException => true,
        _ => false,
    };

    // Before roles were kept, the backend's two sets of rights were all that there was.
    private static async Task NameRolesAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        if (!await connection.Command(Statements.HasNoRoles).SingleAsync<bool>(cancellationToken))
        {
            return;
        }

        foreach (var user in await StoredUser.AllAsync(connection, cancellationToken))
        {
            await (user with { Database = "admin", Roles = [new RoleName(user.MayWrite ? BuiltInRoles.Root : "readAnyDatabase", "admin")] })
                .SaveAsync(connection, cancellationToken);
        }
    }

    private async Task EnsureRootAsync(BackendConnection connection, CancellationToken cancellationToken)
    {
        var user = options.Value.RootUsername;
        if (user.Length == 0)
        {
            return;
        }

        var password = options.Value.RootPassword;
        var create = new BsonDocument
        {
            { "createUser", user },
            { "pwd", password },
            {
                "roles", new BsonArray
                {
                    new BsonDocument { { "role", "readWriteAnyDatabase" }, { "db", "admin" } },
                    new BsonDocument { { "role", "clusterAdmin" }, { "db", "admin" } },
                }
            },
            { "$db", "admin" },
        };
        var info = new BsonDocument { { "usersInfo", user }, { "$db", "admin" } };
        var reply = await RunAsync(connection, Statements.UsersInfo, info, cancellationToken);
        if (new RawDocument(reply).TryGet("users"u8, out var users) && users.Document.Count() > 0)
        {
            // A verifier with another salt would fail logins on all members that began with the old one.
            if (ScramVerifier.IsOf(await connection.Command(Statements.Verifier).With(0, user).SingleAsync<string>(cancellationToken) ?? "", password))
            {
                return;
            }

            var update = new BsonDocument { { "updateUser", user }, { "pwd", password }, { "$db", "admin" } };
            await RunAsync(connection, Statements.UpdateUser, update, cancellationToken);
            return;
        }

        await connection.RunAsync("BEGIN", cancellationToken);
        await RunAsync(connection, Statements.CreateUser, create, cancellationToken);
        await new StoredUser(user) { Roles = [new RoleName(BuiltInRoles.Root, "admin")] }.SaveAsync(connection, cancellationToken);
        await connection.RunAsync("COMMIT", cancellationToken);
        LogRootCreated(user);
    }

    private static async Task<byte[]> RunAsync(
        BackendConnection connection, Statement statement, BsonDocument command, CancellationToken cancellationToken) =>
        await connection.Command(statement).With<ReadOnlyMemory<byte>>(0, command.ToBson()).SingleAsync<byte[]>(cancellationToken) ?? [];

    [LoggerMessage(LogLevel.Information, "PostgreSQL does not take connections yet (attempt {Attempt}): {Reason}")]
    private partial void LogWaiting(int attempt, string reason);

    [LoggerMessage(LogLevel.Information, "DocumentDB {Version} is ready after {Seconds:0.0} s")]
    private partial void LogReady(string version, double seconds);

    [LoggerMessage(LogLevel.Information, "PostgreSQL is back")]
    private partial void LogRecovered();

    [LoggerMessage(LogLevel.Information, "The administrative user {User} was created")]
    private partial void LogRootCreated(string user);
}
