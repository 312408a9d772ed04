using System.Globalization;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Backend;

/// <summary>
/// A connection to PostgreSQL with its prepared statements and the role it acts as. Used by one command, or one
/// transaction, at a time.
/// </summary>
internal sealed class BackendConnection(PostgresConnection connection, long generation) : IAsyncDisposable
{
    private readonly BackendReader _reader = new(connection);
    private readonly Dictionary<Statement, BackendCommand> _commands = new(ReferenceEqualityComparer.Instance);

    private int _roles;
    private CommitWait _commits = CommitWait.Majority;

    /// <summary>The role that commands run as; null for the gateway's own.</summary>
    public string? Role { get; private set; }

    /// <summary>Which period between two losses of the backend it was opened in.</summary>
    public long Generation => generation;

    /// <summary>The number of the server process.</summary>
    public int ProcessId => connection.ProcessId;

    /// <summary>False after an error that ended the connection.</summary>
    public bool IsOpen => connection.IsOpen;

    /// <summary>Whose share of the pool it belongs to while it is in use.</summary>
    public BackendShares.Account? Account { get; set; }

    /// <summary>What the write command that uses it has to wait for; null for reads and with one member.</summary>
    public Acknowledgement? Acknowledgement { get; set; }

    /// <summary>Whether a commit's wait for a standby was ended since this was cleared.</summary>
    public bool IsUnreplicated
    {
        get => connection.IsUnreplicated;
        set => connection.IsUnreplicated = value;
    }

    /// <summary>When it was given back last.</summary>
    public DateTimeOffset IdleSince { get; set; }

    /// <summary>The statement, ready for its parameters.</summary>
    public BackendCommand Command(Statement statement)
    {
        if (!_commands.TryGetValue(statement, out var command))
        {
            var name = statement.Prepared ? string.Create(CultureInfo.InvariantCulture, $"s{_commands.Count}") : "";
            command = new BackendCommand(connection, _reader, statement, name);
            _commands.Add(statement, command);
        }

        return command;
    }

    /// <summary>A statement that is not kept.</summary>
    public BackendCommand Once(Statement statement) => new(connection, _reader, statement, name: "");

    /// <summary>Runs a text of one or more statements without parameters.</summary>
    public async ValueTask RunAsync(string sql, CancellationToken cancellationToken)
    {
        connection.Begin(cancellationToken);
        var output = connection.Output;
        output.Begin((byte)'Q');
        output.Terminated(sql);
        output.End();
        await connection.SendAsync();
        await connection.FinishAsync(cancellationToken);
    }

    /// <summary>Makes later commands run with this role's rights.</summary>
    /// <param name="role">The role; null for the gateway's own.</param>
    /// <param name="roles">Changes with the roles themselves: what was said before such a change is said again.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async ValueTask ActAsAsync(string? role, int roles, CancellationToken cancellationToken)
    {
        if (Role == role && _roles == roles)
        {
            return;
        }

        await RunAsync(role is null ? "RESET ROLE" : $"SET ROLE {Quote(role)}", cancellationToken);
        Role = role;
        _roles = roles;
    }

    /// <summary>Says what later commits wait for, together with the next command. Outside of transactions: a rollback would take it back.</summary>
    public void Use(CommitWait commits)
    {
        if (commits != CommitWait.Any && commits != _commits)
        {
            connection.Prepend($"SET synchronous_commit = {Setting(commits)}");
            _commits = commits;
        }
    }

    /// <summary>Says what the commit of the transaction that is open waits for, together with the next command.</summary>
    public void UseInTransaction(CommitWait commits)
    {
        if (commits != CommitWait.Any && commits != _commits)
        {
            connection.Prepend($"SET LOCAL synchronous_commit = {Setting(commits)}");
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static string Setting(CommitWait commits) => commits switch
    {
        CommitWait.Journal => "local",
        CommitWait.Nothing => "off",
        _ => "on",
    };

    private static string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
