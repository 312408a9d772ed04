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
    private readonly Statement?[] _forms = new Statement?[12];

    /// <summary>The form for these parameters, which follow the database and the command in this order.</summary>
    /// <param name="sequence">Whether there is a document sequence.</param>
    /// <param name="retryable">Whether there is an id of a retryable write.</param>
    /// <param name="turns">How many locks upserts take: none, one, or several as an array.</param>
    public Statement Form(bool sequence, bool retryable, int turns)
    {
        var form = turns switch { 0 => 0, 1 => 4, _ => 8 };
        return _forms[(sequence ? 1 : 0) | (retryable ? 2 : 0) | form] ??= Make(sequence, retryable, turns);
    }

    private Statement Make(bool sequence, bool retryable, int turns)
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
        if (turns == 0)
        {
            return new($"SELECT p_result::bytea, p_success FROM documentdb_api.{function}($1,$2,{rest})", types, Prepared: true);
        }

        // The function is called with what the lock returned, so it cannot run, and cannot look at the data, before it is held.
        // Several are taken in the order of the array, which is sorted, so that no two commands wait for each other.
        var held = turns == 1
            ? $"SELECT pg_advisory_xact_lock({Next(true, NpgsqlDbType.Bigint)}) IS NOT NULL AS held"
            : $"SELECT bool_and(pg_advisory_xact_lock(key) IS NOT NULL) AS held FROM unnest({Next(true, NpgsqlDbType.Array | NpgsqlDbType.Bigint)}) AS key";
        return new(
            $"SELECT p_result::bytea, p_success FROM ({held}) AS turn, LATERAL documentdb_api.{function}($1,CASE WHEN turn.held THEN $2 END,{rest})",
            types,
            Prepared: true);
    }
}
