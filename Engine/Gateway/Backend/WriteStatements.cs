namespace Platform.Gateway.Backend;

/// <summary>
/// The forms of a write function: with or without a document sequence, the record of its outcome, and the lock by which
/// upserts take turns. A text for each, because each is prepared and a parameter that is null would still be sent.
/// The columns are the reply, whether all of it succeeded, and how many documents were updated to what they were. A failure by a conflict with another
/// transaction is raised
/// (see <see cref="Statements.OwnSchema"/>), so that nothing of a command that is to be repeated is kept.
/// </summary>
/// <param name="function">The function's name.</param>
/// <param name="takesSequence">Whether its third parameter is a document sequence.</param>
internal sealed class WriteStatements(string function, bool takesSequence = true)
{
    private readonly Statement?[] _forms = new Statement?[256];

    /// <summary>The form for these parameters, which follow the database and the command in this order.</summary>
    /// <param name="sequence">Whether there is a document sequence.</param>
    /// <param name="retryable">Whether the outcome is recorded: session, number, position and count of the statements.</param>
    /// <param name="turn">Which locks upserts take; the collection's key comes first, then those of the documents, several as an array.</param>
    /// <param name="deferred">Whether the commit does not wait for the disk, because another one follows that does.</param>
    /// <param name="again">Whether the transaction may have made other writes before.</param>
    /// <param name="whole">Whether any failure is raised as a conflict is, and undoes all.</param>
    /// <param name="noted">Whether a message to change streams goes in front of it, in WAL; it is the last parameter.</param>
    public Statement Form(
        bool sequence, bool retryable, UpsertTurnKind turn, bool deferred = false, bool again = false, bool whole = false, bool noted = false) =>
        _forms[(sequence ? 1 : 0) | (retryable ? 2 : 0) | ((int)turn << 2) | (deferred ? 16 : 0) | (again ? 32 : 0) | (whole ? 64 : 0) | (noted ? 128 : 0)]
            ??= Make(sequence, retryable, turn, deferred, again, whole, noted);

    private Statement Make(bool sequence, bool retryable, UpsertTurnKind turn, bool deferred, bool again, bool whole, bool noted)
    {
        List<ParameterType> types = [ParameterType.Text, ParameterType.Bytes];
        string Next(ParameterType type)
        {
            types.Add(type);
            return $"${types.Count}";
        }

        var unchanged = function == "update" ? "coalesce(nullif(current_setting('platform_gateway.unchanged', true), ''), '0')::bigint" : "0::bigint";
        var reply = $"CASE WHEN p_success THEN p_result::bytea ELSE platform_gateway.{(whole ? "succeeded" : "settled")}(p_result) END";
        // The backend's own record of retryable writes is not used: it knows one statement of a command, and answers a repetition once.
        var rest = takesSequence ? $"{(sequence ? Next(ParameterType.Bytes) : "NULL")},NULL" : "NULL";
        var record = retryable
            ? $"{Next(ParameterType.Bytes)},{Next(ParameterType.Int64)},{Next(ParameterType.Int64)},{Next(ParameterType.Int64)}"
            : null;
        List<string> before = [];
        if (deferred)
        {
            before.Add("set_config('synchronous_commit', 'off', true) IS NOT NULL");
        }

        if (again && function == "update")
        {
            before.Add("set_config('platform_gateway.unchanged', '0', true) IS NOT NULL");
        }

        // Several locks are taken in the order of the array, which is sorted, so that no two commands wait for each other.
        switch (turn)
        {
            case UpsertTurnKind.Collection:
                before.Add($"pg_advisory_xact_lock({Next(ParameterType.Int64)}) IS NOT NULL");
                break;
            case UpsertTurnKind.Document:
                before.Add($"pg_advisory_xact_lock_shared({Next(ParameterType.Int64)}) IS NOT NULL");
                before.Add($"pg_advisory_xact_lock({Next(ParameterType.Int64)}) IS NOT NULL");
                break;
            case UpsertTurnKind.Documents:
                before.Add($"pg_advisory_xact_lock_shared({Next(ParameterType.Int64)}) IS NOT NULL");
                before.Add($"(SELECT bool_and(pg_advisory_xact_lock(key) IS NOT NULL) FROM unnest({Next(ParameterType.Int64Array)}) AS key)");
                break;
        }

        if (noted)
        {
            before.Add($"pg_logical_emit_message(true, 'platform', {Next(ParameterType.Bytes)}) IS NOT NULL");
        }

        // The function is called with what comes before it, so it cannot run, and cannot look at the data, until that is done.
        var source = before.Count == 0
            ? $"documentdb_api.{function}($1,$2,{rest})"
            : $"(SELECT {string.Join(" AND ", before)} AS done) AS before, LATERAL documentdb_api.{function}($1,CASE WHEN before.done THEN $2 END,{rest})";
        return new(
            record is null
                ? $"SELECT {reply}, p_success, {unchanged} FROM {source}"
                : $"""
                INSERT INTO platform_gateway.retry_outcomes AS o (session, number, first, count, reply, success, unchanged)
                SELECT {record}, {reply}, p_success, {unchanged} FROM {source}
                ON CONFLICT (session, first, user_name) DO UPDATE SET number = CASE WHEN o.number < excluded.number THEN excluded.number END,
                count = excluded.count, reply = excluded.reply, success = excluded.success, unchanged = excluded.unchanged,
                written_at = excluded.written_at RETURNING reply, success, unchanged
                """,
            types,
            Prepared: true);
    }
}
