using Npgsql;
using NpgsqlTypes;
using Platform.Gateway.Backend;

namespace Platform.Benchmarks;

/// <summary>Calls the engine's function without the gateway: the same statement, prepared, under the same role.</summary>
internal sealed class DirectConnection : IDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;
    private readonly NpgsqlParameter<ReadOnlyMemory<byte>> _body = new() { NpgsqlDbType = NpgsqlDbType.Bytea };
    private readonly NpgsqlParameter<ReadOnlyMemory<byte>>? _sequence;

    /// <summary>Connects and prepares the statement.</summary>
    public DirectConnection(string connectionString, string role, string database, Statement statement)
    {
        _connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        _connection.Open();
        using (var act = new NpgsqlCommand($"SET ROLE \"{role}\"", _connection))
        {
            act.ExecuteNonQuery();
        }

        _command = new NpgsqlCommand(statement.Sql, _connection);
        _command.Parameters.Add(new NpgsqlParameter<string> { NpgsqlDbType = NpgsqlDbType.Text, TypedValue = database });
        _command.Parameters.Add(_body);
        if (statement.Types.Count > 2)
        {
            _sequence = new() { NpgsqlDbType = NpgsqlDbType.Bytea };
            _command.Parameters.Add(_sequence);
        }

        _command.Prepare();
    }

    /// <summary>Calls the function with the documents of a message and returns its reply document.</summary>
    public byte[] Call(WireMessage message)
    {
        _body.TypedValue = message.Body;
        if (_sequence is not null)
        {
            _sequence.TypedValue = message.Sequence;
        }

        using var reader = _command.ExecuteReader();
        reader.Read();
        return reader.GetFieldValue<byte[]>(0);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _command.Dispose();
        _connection.Dispose();
    }
}
