using System.Data;
using Npgsql;

namespace Platform.Gateway.Engine;

/// <summary>
/// A connection to PostgreSQL with its prepared statements and the role it acts as. Used by one command, or one
/// transaction, at a time.
/// </summary>
internal sealed class EngineConnection(NpgsqlConnection connection, long generation) : IAsyncDisposable
{
    private readonly Dictionary<Statement, EngineCommand> _commands = new(ReferenceEqualityComparer.Instance);

    /// <summary>The role that commands run as; null for the gateway's own.</summary>
    public string? Role { get; private set; }

    /// <summary>Which period between two losses of the engine it was opened in.</summary>
    public long Generation => generation;

    /// <summary>The number of the server process.</summary>
    public int ProcessId => connection.ProcessID;

    /// <summary>False after an error that ended the connection.</summary>
    public bool IsOpen => connection.State == ConnectionState.Open;

    /// <summary>When it was given back last.</summary>
    public DateTimeOffset IdleSince { get; set; }

    /// <summary>The statement, ready for its parameters.</summary>
    public EngineCommand Command(Statement statement)
    {
        if (!_commands.TryGetValue(statement, out var command))
        {
            command = new EngineCommand(connection, statement);
            _commands.Add(statement, command);
        }

        return command;
    }

    /// <summary>A statement that is not kept.</summary>
    public EngineCommand Once(Statement statement) => new(connection, statement);

    /// <summary>Runs a text of one or more statements without parameters.</summary>
    public async ValueTask RunAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Makes later commands run with this role's rights.</summary>
    public async ValueTask ActAsAsync(string? role, CancellationToken cancellationToken)
    {
        if (Role == role)
        {
            return;
        }

        await RunAsync(role is null ? "RESET ROLE" : $"SET ROLE {Quote(role)}", cancellationToken);
        Role = role;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        await connection.DisposeAsync();
    }

    private static string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
