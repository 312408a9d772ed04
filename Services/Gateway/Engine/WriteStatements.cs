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
    private readonly Statement?[] _forms = new Statement?[16];

    /// <summary>The form for these parameters, which follow the database and the command in this order.</summary>
    /// <param name="sequence">Whether there is a document sequence.</param>
    /// <param name="retryable">Whether there is an id of a retryable write.</param>
    /// <param name="turn">Which locks upserts take; the collection's key comes first, then those of the documents, several as an array.</param>
    public Statement Form(bool sequence, bool retryable, UpsertTurnKind turn) =>
        _forms[(sequence ? 1 : 0) | (retryable ? 2 : 0) | ((int)turn << 2)] ??= Make(sequence, retryable, turn);

    private Statement Make(bool sequence, bool retryable, UpsertTurnKind turn)
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
        if (turn == UpsertTurnKind.None)
        {
            return new($"SELECT p_result::bytea, p_success FROM documentdb_api.{function}($1,$2,{rest})", types, Prepared: true);
        }

        // The function is called with what the lock returned, so it cannot run, and cannot look at the data, before it is held.
        // Several are taken in the order of the array, which is sorted, so that no two commands wait for each other.
        var collection = Next(true, NpgsqlDbType.Bigint);
        var held = turn switch
        {
            UpsertTurnKind.Collection => $"SELECT pg_advisory_xact_lock({collection}) IS NOT NULL AS held",
            UpsertTurnKind.Document =>
                $"SELECT pg_advisory_xact_lock_shared({collection}) IS NOT NULL AND pg_advisory_xact_lock({Next(true, NpgsqlDbType.Bigint)}) IS NOT NULL AS held",
            _ => $"SELECT pg_advisory_xact_lock_shared({collection}) IS NOT NULL AND (SELECT bool_and(pg_advisory_xact_lock(key) IS NOT NULL) FROM unnest({Next(true, NpgsqlDbType.Array | NpgsqlDbType.Bigint)}) AS key) AS held",
        };
        return new(
            $"SELECT p_result::bytea, p_success FROM ({held}) AS turn, LATERAL documentdb_api.{function}($1,CASE WHEN turn.held THEN $2 END,{rest})",
            types,
            Prepared: true);
    }
}
