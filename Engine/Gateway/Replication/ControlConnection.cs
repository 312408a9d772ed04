using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Platform.Gateway.Postgres;
using Platform.Gateway.Sockets;

namespace Platform.Gateway.Replication;

/// <summary>
/// A connection to a PostgreSQL for what concerns replication, opened when it is needed. It never waits for longer than its patience: a
/// server that hangs is one of the cases that it is there for. Throws <see cref="TimeoutException"/> then, <see cref="IOException"/>,
/// <see cref="SocketException"/> or <see cref="PostgresException"/> otherwise.
/// </summary>
internal sealed class ControlConnection(PostgresSettings settings, TimeSpan patience) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private PostgresConnection? _connection;

    /// <summary>The first row of a query's result.</summary>
    public async Task<string?[]> RowAsync(string sql, CancellationToken cancellationToken, TimeSpan? longer = null) =>
        await RowsAsync(sql, cancellationToken, longer) is [var row, ..] ? row : throw new InvalidDataException($"PostgreSQL returned no row of: {sql}");

    /// <summary>All rows of the result of one statement, as text.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="longer">How long it may take, when that is not the connection's patience.</param>
    public async Task<List<string?[]>> RowsAsync(string sql, CancellationToken cancellationToken, TimeSpan? longer = null)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var running = RunAsync(sql, cancellationToken);
            try
            {
                return await running.WaitAsync(longer ?? patience, cancellationToken);
            }
            catch (Exception e) when (e is not PostgresException { EndsConnection: false })
            {
                await DropAsync();
                // It ends now that its connection is closed; what it says about that is no news.
                _ = running.ContinueWith(
                    static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw;
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        _gate.Dispose();
    }

    private async Task<List<string?[]>> RunAsync(string sql, CancellationToken cancellationToken)
    {
        if (_connection is not { IsOpen: true })
        {
            await DropAsync();
            _connection = await PostgresConnection.OpenAsync(settings, BusyWait.None, cancellationToken);
        }

        var connection = _connection;
        connection.Begin(cancellationToken);
        connection.Output.Begin((byte)'Q');
        connection.Output.Terminated(sql);
        connection.Output.End();
        await connection.SendAsync();
        var rows = new List<string?[]>();
        while (true)
        {
            switch (await connection.ReceiveOrCancelAsync(cancellationToken))
            {
                case (byte)'D':
                    rows.Add(Read(connection.Body));
                    break;
                case (byte)'E':
                    throw await connection.FailAsync(cancellationToken);
                case (byte)'C':
                    await connection.FinishAsync(cancellationToken);
                    return rows;
            }
        }
    }

    private static string?[] Read(ReadOnlySpan<byte> body)
    {
        var row = new string?[BinaryPrimitives.ReadInt16BigEndian(body)];
        body = body[2..];
        for (var i = 0; i < row.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body);
            body = body[4..];
            if (length >= 0)
            {
                row[i] = Encoding.UTF8.GetString(body[..length]);
                body = body[length..];
            }
        }

        return row;
    }

    private async ValueTask DropAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            await connection.AbandonAsync();
            await connection.DisposeAsync();
        }
    }
}
