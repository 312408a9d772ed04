using NpgsqlTypes;

namespace Platform.Gateway.Engine;

/// <summary>
/// The four forms of a write function: with or without a document sequence, with or without the id that makes it
/// retryable. Four texts, because each is prepared and a parameter that is null would still be sent.
/// </summary>
internal sealed class WriteStatements(string function)
{
    private readonly Statement _plain = Make(function, "NULL,NULL", NpgsqlDbType.Text, NpgsqlDbType.Bytea);
    private readonly Statement _sequence = Make(function, "$3,NULL", NpgsqlDbType.Text, NpgsqlDbType.Bytea, NpgsqlDbType.Bytea);
    private readonly Statement _retryable = Make(function, "NULL,$3", NpgsqlDbType.Text, NpgsqlDbType.Bytea, NpgsqlDbType.Text);
    private readonly Statement _both = Make(function, "$3,$4", NpgsqlDbType.Text, NpgsqlDbType.Bytea, NpgsqlDbType.Bytea, NpgsqlDbType.Text);

    /// <summary>The form for these parameters.</summary>
    public Statement Form(bool sequence, bool retryable) => (sequence, retryable) switch
    {
        (false, false) => _plain,
        (true, false) => _sequence,
        (false, true) => _retryable,
        (true, true) => _both,
    };

    private static Statement Make(string function, string rest, params NpgsqlDbType[] types) =>
        new($"SELECT p_result::bytea, p_success FROM documentdb_api.{function}($1,$2,{rest})", types, Prepared: true);
}
