using System.Runtime.CompilerServices;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Backend;

/// <summary>A statement on one connection with its parameters. It is used again and again, so a command allocates next to nothing.</summary>
internal sealed class BackendCommand
{
    // A parameter from this size on is sent from where it is instead of being copied.
    private const int SentInPlace = 16 * 1024;

    private readonly PostgresConnection _connection;
    private readonly Statement _statement;
    private readonly string _name;
    private readonly Parameter[] _parameters;
    private readonly BackendReader _reader;
    private bool _textResults;
    private bool _isPrepared;

    /// <summary>Makes the command for a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="reader">Reads the results of whichever command runs on the connection.</param>
    /// <param name="statement">What it runs.</param>
    /// <param name="name">The name by which the server keeps the prepared statement; empty when it is not to be kept.</param>
    public BackendCommand(PostgresConnection connection, BackendReader reader, Statement statement, string name)
    {
        _connection = connection;
        _statement = statement;
        _name = name;
        _parameters = new Parameter[statement.Types.Count];
        _reader = reader;
    }

    /// <summary>Sets a parameter, counted from 0. Throws <see cref="InvalidCastException"/> when its type is another one.</summary>
    public BackendCommand With<T>(int index, T value)
    {
        ref var parameter = ref _parameters[index];
        var type = _statement.Types[index];
        if (value is ReadOnlyMemory<byte> bytes && type == ParameterType.Bytes)
        {
            parameter.Bytes = bytes;
        }
        else if (value is long number && type == ParameterType.Int64)
        {
            parameter.Number = number;
        }
        else if (value is bool truth && type == ParameterType.Boolean)
        {
            parameter.Number = truth ? 1 : 0;
        }
        else if (value is double real && type == ParameterType.Double)
        {
            parameter.Number = BitConverter.DoubleToInt64Bits(real);
        }
        else if ((value is string && type == ParameterType.Text) || (value is long[] && type == ParameterType.Int64Array))
        {
            parameter.Reference = value;
        }
        else
        {
            throw new InvalidCastException($"Parameter {index + 1} of '{_statement.Sql}' is a {type}, not a {typeof(T).Name}.");
        }

        return this;
    }

    /// <summary>Has procedures' results delivered as text, because a CALL cannot convert them.</summary>
    public BackendCommand WithTextResults()
    {
        _textResults = true;
        return this;
    }

    /// <summary>
    /// Runs the statement and waits for its first row or its end; the reader must be disposed before the connection is used
    /// again. Throws <see cref="PostgresException"/> when the statement fails.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BackendReader> ReadAsync(CancellationToken cancellationToken)
    {
        var connection = _connection;
        connection.Begin(cancellationToken);
        try
        {
            if (_name.Length == 0 || !_isPrepared)
            {
                Parse(connection.Output);
            }

            await SendAsync(connection);
        }
        catch
        {
            await connection.AbandonAsync();
            throw;
        }

        while (true)
        {
            var type = connection.TryReceive();
            if (type == 0)
            {
                type = await connection.ReceiveOrCancelAsync(cancellationToken);
            }

            switch (type)
            {
                case (byte)'1':
                    _isPrepared = true;
                    break;
                case (byte)'2':
                    break;
                case (byte)'D' or (byte)'C' or (byte)'I':
                    _reader.Start(type == (byte)'D', cancellationToken);
                    return _reader;
                case (byte)'E':
                    throw await connection.FailAsync(cancellationToken);
                default:
                    await connection.AbandonAsync();
                    throw new IOException($"PostgreSQL answered a statement with '{(char)type}'.");
            }
        }
    }

    /// <summary>Runs the statement and returns the first column of the first row; null when there is none.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T?> SingleAsync<T>(CancellationToken cancellationToken)
    {
        await using var reader = await ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(0) ? reader.GetFieldValue<T>(0) : default;
    }

    /// <summary>Runs the statement for its effect.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        var reader = await ReadAsync(cancellationToken);
        await reader.DisposeAsync();
    }

    /*  Parse: 'P' | name | statement | count i16 | types i32...  */
    private void Parse(MessageBuffer output)
    {
        output.Begin((byte)'P');
        output.Terminated(_name);
        output.Terminated(_statement.Sql);
        output.Int16((short)_statement.Types.Count);
        foreach (var type in _statement.Types)
        {
            output.Int32((int)type);
        }

        output.End();
    }

    /*  Bind: 'B' | portal | name | 1, 1 (all parameters are binary) | count i16 | (length i32, bytes)... | 1, 1 (all results, too)  */
    private ValueTask SendAsync(PostgresConnection connection)
    {
        var output = connection.Output;
        output.Begin((byte)'B');
        output.Byte(0);
        output.Terminated(_name);
        output.Int16(1);
        output.Int16(1);
        output.Int16((short)_parameters.Length);
        for (var i = 0; i < _parameters.Length; i++)
        {
            if (_statement.Types[i] == ParameterType.Bytes && _parameters[i].Bytes.Length >= SentInPlace)
            {
                return SendInPartsAsync(connection, i);
            }

            Write(output, i);
        }

        WriteEnd(output);
        return connection.SendAsync();
    }

    private async ValueTask SendInPartsAsync(PostgresConnection connection, int from)
    {
        var output = connection.Output;
        // The length in front of the message covers what follows it in parts.
        var following = 4;
        for (var i = from; i < _parameters.Length; i++)
        {
            following += 4 + SizeOf(i);
        }

        output.End(following - (_textResults ? 2 : 0));
        for (var i = from; i < _parameters.Length; i++)
        {
            if (_statement.Types[i] == ParameterType.Bytes && _parameters[i].Bytes is { Length: >= SentInPlace } bytes)
            {
                output.Int32(bytes.Length);
                await connection.SendAsync();
                await connection.SendAsync(bytes);
                _parameters[i].Bytes = default;
            }
            else
            {
                Write(output, i);
            }
        }

        WriteFormats(output);
        WriteExecution(output);
        await connection.SendAsync();
    }

    private void WriteEnd(MessageBuffer output)
    {
        WriteFormats(output);
        output.End();
        WriteExecution(output);
    }

    private void WriteFormats(MessageBuffer output)
    {
        output.Int16((short)(_textResults ? 0 : 1));
        if (!_textResults)
        {
            output.Int16(1);
        }
    }

    /*  Execute: 'E' | portal | no limit of rows;  Sync: 'S'  */
    private static void WriteExecution(MessageBuffer output)
    {
        output.Begin((byte)'E');
        output.Byte(0);
        output.Int32(0);
        output.End();
        output.Begin((byte)'S');
        output.End();
    }

    private void Write(MessageBuffer output, int index)
    {
        ref var parameter = ref _parameters[index];
        switch (_statement.Types[index])
        {
            case ParameterType.Text:
                output.Text((string)parameter.Reference!);
                break;
            case ParameterType.Bytes:
                output.Int32(parameter.Bytes.Length);
                output.Bytes(parameter.Bytes.Span);
                // The command outlives the message that the bytes are in.
                parameter.Bytes = default;
                break;
            case ParameterType.Int64 or ParameterType.Double:
                output.Int32(8);
                output.Int64(parameter.Number);
                break;
            case ParameterType.Boolean:
                output.Int32(1);
                output.Byte((byte)parameter.Number);
                break;
            default:
                var numbers = (long[])parameter.Reference!;
                output.Int32(20 + 12 * numbers.Length);
                output.Int32(1); // dimensions
                output.Int32(0); // no nulls
                output.Int32((int)ParameterType.Int64);
                output.Int32(numbers.Length);
                output.Int32(1); // the first index
                foreach (var number in numbers)
                {
                    output.Int32(8);
                    output.Int64(number);
                }

                break;
        }
    }

    private int SizeOf(int index) => _statement.Types[index] switch
    {
        ParameterType.Text => System.Text.Encoding.UTF8.GetByteCount((string)_parameters[index].Reference!),
        ParameterType.Bytes => _parameters[index].Bytes.Length,
        ParameterType.Int64 or ParameterType.Double => 8,
        ParameterType.Boolean => 1,
        _ => 20 + 12 * ((long[])_parameters[index].Reference!).Length,
    };

    private struct Parameter
    {
        public ReadOnlyMemory<byte> Bytes;
        public long Number;
        public object? Reference;
    }
}
