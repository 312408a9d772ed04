using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Backend;

/// <summary>The rows of a statement, read in order. Disposing it reads the rest, so that a statement that fails at its end throws there.</summary>
internal sealed class BackendReader(PostgresConnection connection) : IAsyncDisposable
{
    private CancellationToken _cancellation;
    private bool _hasFirst;
    private bool _onRow;
    private bool _ended;

    /// <summary>Moves to the next row; false after the last one.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_hasFirst)
        {
            _hasFirst = false;
            return _onRow = true;
        }

        _onRow = false;
        while (!_ended)
        {
            var type = connection.TryReceive();
            if (type == 0)
            {
                type = await connection.ReceiveOrCancelAsync(_cancellation);
            }

            switch (type)
            {
                case (byte)'D':
                    return _onRow = true;
                case (byte)'C':
                    _ended = true;
                    break;
                case (byte)'E':
                    _ended = true;
                    throw await connection.FailAsync(_cancellation);
            }
        }

        return false;
    }

    /// <summary>Whether a column, counted from 0, has no value.</summary>
    public bool IsDBNull(int column) => Find(column).Length < 0;

    /// <summary>The bytes of a column; valid for as long as somebody holds them.</summary>
    public ReadOnlyMemory<byte> GetBytes(int column)
    {
        var (offset, length) = Value(column);
        return connection.Keep(offset, length);
    }

    /// <summary>A boolean.</summary>
    public bool GetBoolean(int column) => Span(column, 1)[0] != 0;

    /// <summary>A 64-bit number.</summary>
    public long GetInt64(int column) => BinaryPrimitives.ReadInt64BigEndian(Span(column, 8));

    /// <summary>Text.</summary>
    public string GetString(int column)
    {
        var (offset, length) = Value(column);
        return Encoding.UTF8.GetString(connection.Body.Slice(offset, length));
    }

    /// <summary>The value as bytes, text, boolean or 64-bit number; throws <see cref="InvalidCastException"/> for other types.</summary>
    public T GetFieldValue<T>(int column)
    {
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
        {
            var bytes = GetBytes(column);
            return Unsafe.As<ReadOnlyMemory<byte>, T>(ref bytes);
        }

        if (typeof(T) == typeof(bool))
        {
            var truth = GetBoolean(column);
            return Unsafe.As<bool, T>(ref truth);
        }

        if (typeof(T) == typeof(long))
        {
            var number = GetInt64(column);
            return Unsafe.As<long, T>(ref number);
        }

        var (offset, length) = Value(column);
        var span = connection.Body.Slice(offset, length);
        object value = typeof(T) == typeof(byte[]) ? span.ToArray()
            : typeof(T) == typeof(string) ? GetString(column)
            : throw new InvalidCastException($"A column cannot be read as {typeof(T).Name}.");
        return (T)value;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _ended = true;
        _onRow = false;
        _hasFirst = false;
        return connection.FinishAsync(_cancellation);
    }

    /// <summary>Makes the reader stand in front of the first row, whose message was received already if there is one.</summary>
    internal void Start(bool hasRow, CancellationToken cancellationToken)
    {
        _hasFirst = hasRow;
        _ended = !hasRow;
        _onRow = false;
        _cancellation = cancellationToken;
    }

    private (int Offset, int Length) Value(int column) =>
        Find(column) is { Length: >= 0 } value ? value : throw new InvalidCastException($"Column {column} is null.");

    private ReadOnlySpan<byte> Span(int column, int length)
    {
        var value = Value(column);
        return value.Length == length
            ? connection.Body.Slice(value.Offset, length)
            : throw new InvalidCastException($"Column {column} has {value.Length} bytes, not {length}.");
    }

    /*  DataRow: count i16 | (length i32 or -1, bytes)...  */
    private (int Offset, int Length) Find(int column)
    {
        if (!_onRow)
        {
            throw new InvalidOperationException("The reader stands on no row.");
        }

        var body = connection.Body;
        if (column >= BinaryPrimitives.ReadInt16BigEndian(body))
        {
            throw new ArgumentOutOfRangeException(nameof(column), column, "The row has fewer columns.");
        }

        var offset = 2;
        while (true)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body[offset..]);
            offset += 4;
            if (column-- == 0)
            {
                return (offset, length);
            }

            offset += Math.Max(length, 0);
        }
    }
}
