using System.Data;
using Npgsql;
using NpgsqlTypes;

namespace Platform.Gateway.Engine;

/// <summary>A statement on one connection with its parameters. It is used again and again, so a command allocates little.</summary>
internal sealed class EngineCommand : IDisposable
{
    private readonly NpgsqlCommand _command;
    private readonly bool _prepare;
    private bool _isPrepared;

    /// <summary>Makes the command for a connection.</summary>
    public EngineCommand(NpgsqlConnection connection, Statement statement)
    {
        _prepare = statement.Prepared;
        // The engine itself ends a command after its maxTimeMS; a limit of the client library would cut long ones short.
        _command = new NpgsqlCommand(statement.Sql, connection) { CommandTimeout = 0 };
        foreach (var type in statement.Types)
        {
            _command.Parameters.Add(type switch
            {
                NpgsqlDbType.Text => new NpgsqlParameter<string> { NpgsqlDbType = type },
                NpgsqlDbType.Bytea => new NpgsqlParameter<ReadOnlyMemory<byte>> { NpgsqlDbType = type },
                NpgsqlDbType.Bigint => new NpgsqlParameter<long> { NpgsqlDbType = type },
                NpgsqlDbType.Double => new NpgsqlParameter<double> { NpgsqlDbType = type },
                NpgsqlDbType.Boolean => new NpgsqlParameter<bool> { NpgsqlDbType = type },
                NpgsqlDbType.Array | NpgsqlDbType.Bigint => new NpgsqlParameter<long[]> { NpgsqlDbType = type },
                _ => throw new ArgumentOutOfRangeException(nameof(statement), type, "No parameter of this type is used."),
            });
        }
    }

    /// <summary>Sets a parameter, counted from 0.</summary>
    public EngineCommand With<T>(int index, T value)
    {
        ((NpgsqlParameter<T>)_command.Parameters[index]).TypedValue = value;
        return this;
    }

    /// <summary>Has procedures' results delivered as text, because a CALL cannot convert them.</summary>
    public EngineCommand WithTextResults()
    {
        _command.AllResultTypesAreUnknown = true;
        return this;
    }

    /// <summary>Runs the statement; the reader must be disposed before the connection is used again.</summary>
    public async ValueTask<NpgsqlDataReader> ReadAsync(CancellationToken cancellationToken)
    {
        if (_prepare && !_isPrepared)
        {
            await _command.PrepareAsync(cancellationToken);
            _isPrepared = true;
        }

        return await _command.ExecuteReaderAsync(CommandBehavior.Default, cancellationToken);
    }

    /// <summary>Runs the statement and returns the first column of the first row; null when there is none.</summary>
    public async ValueTask<T?> SingleAsync<T>(CancellationToken cancellationToken)
    {
        await using var reader = await ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(0) ? reader.GetFieldValue<T>(0) : default;
    }

    /// <summary>Runs the statement for its effect.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        await using var reader = await ReadAsync(cancellationToken);
        while (await reader.NextResultAsync(cancellationToken))
        {
        }
    }

    /// <inheritdoc />
    public void Dispose() => _command.Dispose();
}
