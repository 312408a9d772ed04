using System.Buffers.Binary;
using System.Globalization;
using Platform.Gateway.Sockets;

namespace Platform.Gateway.Postgres;

/// <summary>
/// WAL as a logical replication slot decodes it (https://www.postgresql.org/docs/current/protocol-replication.html). It reads from a temporary copy of a
/// slot, which ends with the connection, so the slot itself keeps its place for others. Must be read all the time: the server
/// closes a connection that does not answer its questions.
/// </summary>
internal sealed class ReplicationStream : IAsyncDisposable
{
    // The message's kind and three 64-bit numbers stand before the data.
    private const int DataStart = 25;
    private static int s_copies;

    private readonly PostgresConnection _connection;
    private bool _hasData;

    private ReplicationStream(PostgresConnection connection) => _connection = connection;

    /// <summary>The data of the message that was read last; valid until the next one is read.</summary>
    public ReadOnlySpan<byte> Data => _hasData ? _connection.Body[DataStart..] : default;

    /// <summary>Everything before this position of WAL has been sent, unless a transaction is being sent now.</summary>
    public ulong Position { get; private set; }

    /// <summary>
    /// Begins to stream. Throws <see cref="PostgresException"/> when the server refuses, <see cref="IOException"/> or
    /// <see cref="System.Net.Sockets.SocketException"/> when it is not there.
    /// </summary>
    /// <param name="settings">Where the server is.</param>
    /// <param name="slot">The slot to copy.</param>
    /// <param name="start">Transactions that were committed before this position are left out.</param>
    /// <param name="publication">What is streamed.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async ValueTask<ReplicationStream> OpenAsync(
        PostgresSettings settings, string slot, ulong start, string publication, CancellationToken cancellationToken)
    {
        var connection = await PostgresConnection.OpenAsync(settings.ForReplication(), BusyWait.None, cancellationToken);
        try
        {
            var copy = string.Create(
                CultureInfo.InvariantCulture, $"platform_stream_{connection.ProcessId}_{Interlocked.Increment(ref s_copies)}");
            Query(connection, $"SELECT pg_copy_logical_replication_slot('{slot}', '{copy}', true)", cancellationToken);
            await connection.SendAsync();
            await connection.FinishAsync(cancellationToken);
            Query(
                connection,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"START_REPLICATION SLOT {copy} LOGICAL {start >> 32:X}/{(uint)start:X} ")
                    + $"(proto_version '1', publication_names '{publication}', binary 'true', messages 'true')",
                // The stream outlives whoever asked for it first.
                CancellationToken.None);
            await connection.SendAsync();
            return await connection.ReceiveOrCancelAsync(CancellationToken.None) switch
            {
                (byte)'W' => new ReplicationStream(connection) { Position = start },
                (byte)'E' => throw await connection.FailAsync(CancellationToken.None),
                var type => throw new IOException($"PostgreSQL answered START_REPLICATION with '{(char)type}'."),
            };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a whole message has arrived already; then it is the current one.</summary>
    public bool TryRead() => _connection.TryReceive() is not 0 and var type && Take(type);

    /// <summary>
    /// Waits for the next message, which has <see cref="Data"/> or only moves <see cref="Position"/> on. Throws <see cref="IOException"/> when the
    /// stream has ended.
    /// </summary>
    public async ValueTask ReadAsync() => Take(await _connection.ReceiveAsync());

    /// <summary>Whether the server waits to hear that this end is alive.</summary>
    public bool MustReport { get; private set; }

    /// <summary>Everything up to here has been taken.</summary>
    public void Pass(ulong position) => Position = Math.Max(Position, position);

    /// <summary>Tells the server that this end is alive and has taken everything up to <see cref="Position"/>.</summary>
    public ValueTask ReportAsync()
    {
        MustReport = false;
        var output = _connection.Output;
        output.Begin((byte)'d');
        output.Byte((byte)'r');
        output.Int64((long)Position); // written
        output.Int64((long)Position); // flushed
        output.Int64((long)Position); // applied
        output.Int64(0); // the time here, which the server only shows
        output.Byte(0);
        output.End();
        return _connection.SendAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        // The copy of the slot ends with the connection, and a copy that streams takes no goodbye.
        await _connection.AbandonAsync();
        await _connection.DisposeAsync();
    }

    private static void Query(PostgresConnection connection, string sql, CancellationToken cancellationToken)
    {
        connection.Begin(cancellationToken);
        connection.Output.Begin((byte)'Q');
        connection.Output.Terminated(sql);
        connection.Output.End();
    }

    private bool Take(byte type)
    {
        _hasData = false;
        switch (type)
        {
            case (byte)'d' when _connection.Body[0] == (byte)'w':
                _hasData = true;
                return true;
            case (byte)'d' when _connection.Body[0] == (byte)'k':
                Position = Math.Max(Position, BinaryPrimitives.ReadUInt64BigEndian(_connection.Body[1..]));
                MustReport |= _connection.Body[17] != 0;
                return true;
            case (byte)'E':
                throw new IOException("PostgreSQL ended the stream of changes.", PostgresException.Read(_connection.Body));
            default:
                throw new IOException($"PostgreSQL ended the stream of changes with '{(char)type}'.");
        }
    }
}
