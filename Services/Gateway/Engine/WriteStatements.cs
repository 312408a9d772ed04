using NpgsqlTypes;

namespace Platform.Gateway.Engine;

/// <summary>
/// The forms of a write function: with or without a document sequence, the id that makes it retryable, and the lock by which
/// upserts take turns. A text for each, because each is prepared and a parameter that is null would still be sent.
/// </summary>
/// <param name="function">The function's name.</param>
/// <param name="takesSequence">Whether its third parameter is a document sequence.</param>
internal sealed class WriteStatements(string function, bool takesSequence = true)
{
    private readonly Statement?[] _forms = new Statement?[8];

    /// <summary>The form for these parameters, which follow the database and the command in this order.</summary>
    public Statement Form(bool sequence, bool retryable, bool turn)
        => _forms[(sequence ? 1 : 0) | (retryable ? 2 : 0) | (turn ? 4 : 0)] ??= Make(sequence, retryable, turn);

    private Statement Make(bool sequence, bool retryable, bool turn)
    {
        List<NpgsqlDbType> types = [NpgsqlDbType.Text, NpgsqlDbType.Bytea];
        string Next(bool present, NpgsqlDbType type)
        {
            if (!present)
            {
                return "NULL";
            }

            types.Add(type);
            return $"${types.Count}";
        }

        var rest = takesSequence ? $"{Next(sequence, NpgsqlDbType.Bytea)}," : "";
        rest += Next(retryable, NpgsqlDbType.Text);
        if (!turn)
        {
            return new($"SELECT p_result::bytea, p_success FROM documentdb_api.{function}($1,$2,{rest})", types, Prepared: true);
        }

        // The function is called with what the lock returned, so it cannot run, and cannot look at the data, before it is held.
        var held = $"SELECT pg_advisory_xact_lock({Next(true, NpgsqlDbType.Bigint)}) IS NOT NULL AS held";
        return new(
            $"SELECT p_result::bytea, p_success FROM ({held}) AS turn, LATERAL documentdb_api.{function}($1,CASE WHEN turn.held THEN $2 END,{rest})",
            types,
            Prepared: true);
    }
}
