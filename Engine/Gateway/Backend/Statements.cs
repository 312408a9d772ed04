namespace Platform.Gateway.Backend;

/// <summary>
/// Everything that is asked of the backend, as SQL. Documents go in as bytes (the backend converts them) and come out by
/// an explicit cast, both in binary. The command itself is passed as the client sent it.
/// </summary>
internal static class Statements
{
    private const ParameterType Text = ParameterType.Text;
    private const ParameterType Bytes = ParameterType.Bytes;

    /// <summary>Columns of a first cursor page.</summary>
    private const string Page = "SELECT cursorpage::bytea, continuation::bytea, persistconnection, cursorid FROM documentdb_api.";

    public static readonly Statement Find = new(Page + "find_cursor_first_page($1,$2)", [Text, Bytes], Prepared: true);
    public static readonly Statement Aggregate = new(Page + "aggregate_cursor_first_page($1,$2)", [Text, Bytes], Prepared: true);
    public static readonly Statement ListCollections = new(Page + "list_collections_cursor_first_page($1,$2)", [Text, Bytes]);
    public static readonly Statement ListIndexes = new(Page + "list_indexes_cursor_first_page($1,$2)", [Text, Bytes]);
    public static readonly Statement GetMore = new(
        "SELECT cursorpage::bytea, continuation::bytea FROM documentdb_api.cursor_get_more($1,$2,$3)", [Text, Bytes, Bytes], Prepared: true);

    /// <summary>
    /// The next page while the collection is still the one that was read before; no row when it is not. The continuation depends on the
    /// look into the catalogue, so the page cannot be made before it.
    /// </summary>
    public static readonly Statement GetMoreOf = new(
        "SELECT p.cursorpage::bytea, p.continuation::bytea FROM documentdb_api_catalog.collections c,"
        + " LATERAL documentdb_api.cursor_get_more($1,$2,CASE WHEN c.collection_id = $5 THEN $3 END) p"
        + " WHERE c.database_name = $1 AND c.collection_name = $4 AND c.collection_id = $5",
        [Text, Bytes, Bytes, Text, ParameterType.Int64], Prepared: true);

    /// <summary>The backend's number of a collection, and what it shows when it is a view.</summary>
    public static readonly Statement SourceOfCursor = new(
        "SELECT collection_id, view_definition::bytea FROM documentdb_api_catalog.collections WHERE database_name = $1 AND collection_name = $2",
        [Text, Text], Prepared: true);

    public static readonly Statement DeleteCursors = new(
        "SELECT documentdb_api_internal.delete_cursors($1)::bytea", [ParameterType.Int64Array]);

    public static readonly WriteStatements Insert = new("insert");
    public static readonly WriteStatements Update = new("update");
    public static readonly WriteStatements Delete = new("delete");

    public static readonly WriteStatements FindAndModify = new("find_and_modify", takesSequence: false);

    public static readonly Statement Count = new("SELECT document::bytea FROM documentdb_api.count_query($1,$2)", [Text, Bytes], Prepared: true);
    public static readonly Statement Distinct = new("SELECT document::bytea FROM documentdb_api.distinct_query($1,$2)", [Text, Bytes], Prepared: true);

    public static readonly Statement Create = new("SELECT documentdb_api.create_collection_view($1,$2)::bytea", [Text, Bytes]);
    public static readonly Statement CollMod = new("SELECT documentdb_api.coll_mod($1,$2,$3)::bytea", [Text, Text, Bytes]);
    public static readonly Statement Drop = new("SELECT documentdb_api.drop_collection($1,$2)", [Text, Text]);
    public static readonly Statement DropDatabase = new("SELECT documentdb_api.drop_database($1)", [Text]);
    public static readonly Statement Rename = new("SELECT documentdb_api.rename_collection($1)::bytea", [Bytes]);
    public static readonly Statement ListDatabases = new("SELECT documentdb_api.list_databases($1)::bytea", [Bytes]);
    public static readonly Statement Validate = new("SELECT document::bytea FROM documentdb_api.validate($1,$2)", [Text, Bytes]);
    public static readonly Statement Compact = new("SELECT documentdb_api.compact($1)::bytea", [Bytes]);
    public static readonly Statement CollStats = new("SELECT documentdb_api.coll_stats($1,$2,$3)::bytea", [Text, Text, ParameterType.Double]);
    public static readonly Statement DbStats = new("SELECT documentdb_api.db_stats($1,$2,$3)::bytea", [Text, ParameterType.Double, ParameterType.Boolean]);

    public static readonly Statement CreateIndexes = new(
        "SELECT retval::bytea, ok, requests::bytea FROM documentdb_api.create_indexes_background($1,$2)", [Text, Bytes]);

    public static readonly Statement CreateIndexesInTransaction = new(
        "SELECT documentdb_api_internal.create_indexes_non_concurrently($1,$2,true)::bytea", [Text, Bytes]);

    /// <summary>A row when there is such a collection, no view, and no document in it.</summary>
    public static readonly Statement Empty = new(
        "SELECT 1 FROM documentdb_api_catalog.collections WHERE database_name = $1 AND collection_name = $2 AND view_definition IS NULL"
        + " AND NOT EXISTS (SELECT FROM documentdb_api.collection($1,$2))",
        [Text, Text]);

    public static readonly Statement BuildIndexes = new("CALL documentdb_api_internal.build_index_concurrently(1)", []);

    public static readonly Statement IndexBuildStatus = new(
        "SELECT retval::bytea, ok, complete FROM documentdb_api_internal.check_build_index_status($1)", [Bytes]);

    public static readonly Statement DropIndexes = new("CALL documentdb_api.drop_indexes($1,$2)", [Text, Bytes]);

    public static readonly Statement CurrentOp = new("SELECT documentdb_api.current_op_command($1)::bytea", [Bytes]);
    public static readonly Statement KillOp = new("SELECT documentdb_api.kill_op($1)::bytea", [Bytes]);
    public static readonly Statement ConnectionStatus = new("SELECT documentdb_api.connection_status($1)::bytea", [Bytes]);

    public static readonly Statement CreateUser = new("SELECT documentdb_api.create_user($1)::bytea", [Bytes]);
    public static readonly Statement UpdateUser = new("SELECT documentdb_api.update_user($1)::bytea", [Bytes]);
    public static readonly Statement DropUser = new("SELECT documentdb_api.drop_user($1)::bytea", [Bytes]);
    public static readonly Statement UsersInfo = new("SELECT documentdb_api.users_info($1)::bytea", [Bytes]);

    public static readonly Statement ScramSalt = new(
        "SELECT documentdb_api_internal.scram_sha256_get_salt_and_iterations($1)::bytea", [Text]);

    public static readonly Statement ScramProof = new(
        "SELECT documentdb_api_internal.authenticate_with_scram_sha256($1,$2,$3)::bytea", [Text, Text, Text]);

    /// <summary>What is kept of a user's password.</summary>
    public static readonly Statement Verifier = new("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [Text]);

    /// <summary>The secret that salts of unknown users are made with, and iterations and salt of the newest user.</summary>
    public static readonly Statement FakeSalts = new(
        "SELECT secret, coalesce((SELECT split_part(rolpassword, '$', 2) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%' ORDER BY oid DESC LIMIT "
            + "1), '')"
        + " FROM platform_gateway.secrets WHERE name = 'salts'",
        []);

    private const string UsersOf =
        "SELECT r.rolname::text, r.oid::bigint, pg_has_role(r.oid, 'documentdb_admin_role', 'MEMBER'), o.options FROM pg_roles r"
        + " LEFT JOIN platform_gateway.user_options o ON o.user_name = r.rolname WHERE r.rolcanlogin AND NOT r.rolsuper"
        + " AND r.rolname NOT LIKE 'documentdb\\_%' AND r.rolname NOT LIKE 'pg\\_%'"
        + " AND (pg_has_role(r.oid, 'documentdb_admin_role', 'MEMBER') OR pg_has_role(r.oid, 'documentdb_readonly_role', 'MEMBER'))";

    /// <summary>The users: names, the backend's numbers of them, whether the backend lets them write, and what the gateway keeps of them.</summary>
    public static readonly Statement Users = new(UsersOf, []);

    /// <summary>The same of one user.</summary>
    public static readonly Statement OneUser = new(UsersOf + " AND r.rolname = $1", [Text]);

    /// <summary>The roles that users made.</summary>
    public static readonly Statement Roles = new("SELECT role_name, database_name, definition FROM platform_gateway.roles", []);

    public static readonly Statement SetRole = new(
        "INSERT INTO platform_gateway.roles VALUES ($1, $2, $3) ON CONFLICT (role_name, database_name) DO UPDATE SET definition = excluded.definition",
        [Text, Text, Bytes]);

    public static readonly Statement DeleteRole = new("DELETE FROM platform_gateway.roles WHERE role_name = $1 AND database_name = $2", [Text, Text]);

    /// <summary>Whether this is the database of a gateway that kept no roles of users yet.</summary>
    public static readonly Statement HasNoRoles = new(
        "SELECT to_regclass('platform_gateway.user_options') IS NOT NULL AND to_regclass('platform_gateway.roles') IS NULL", []);

    /// <summary>Lets one change of users and roles happen at a time, until the end of its transaction.</summary>
    public const string LockUsers = "SELECT pg_advisory_xact_lock(7243392870115)";

    /// <summary>
    /// Records, as a part of a transaction that has written something, that it is committed: whoever did not hear of it asks again, maybe
    /// another member. The row is that of a retryable write without statements. Returns the backend's number of the transaction; no row when it has
    /// written nothing.
    /// </summary>
    public static readonly Statement RecordCommit = new(
        "INSERT INTO platform_gateway.retry_outcomes AS o (session, number, first, count, reply, success, unchanged)"
        + " SELECT $1, $2, -1, 0, '', true, 0 WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
        + " ON CONFLICT (session, first, user_name) DO UPDATE SET number = CASE WHEN o.number < excluded.number THEN excluded.number END,"
        + " written_at = excluded.written_at RETURNING pg_current_xact_id_if_assigned()::text",
        [Bytes, ParameterType.Int64], Prepared: true);

    /// <summary>Whether the session's transaction of a number was committed with something written, and is the latest such.</summary>
    public static readonly Statement IsCommitted = new(
        "SELECT EXISTS (SELECT FROM platform_gateway.retry_outcomes WHERE session = $1 AND first = -1 AND number = $2 AND user_name = current_user)",
        [Bytes, ParameterType.Int64]);

    public static readonly Statement TransactionStatus = new("SELECT pg_xact_status($1::xid8)", [Text]);
    public static readonly Statement Commit = new("COMMIT", [], Prepared: true);
    public static readonly Statement Rollback = new("ROLLBACK", [], Prepared: true);

    /// <summary>The recorded outcomes of a session's retryable write of a number, and of newer ones.</summary>
    public static readonly Statement RetryOutcomes = new(
        "SELECT first, count, reply, success, unchanged, number FROM platform_gateway.retry_outcomes"
        + " WHERE session = $1 AND number >= $2 AND user_name = current_user ORDER BY first",
        [Bytes, ParameterType.Int64]);

    /// <summary>Ends what cursors that nobody reads any more have left in files.</summary>
    public const string CleanCursorDirectory = "SELECT documentdb_api_internal.cursor_directory_cleanup()";

    public static readonly Statement PurgeRetryRecords = new(
        "DELETE FROM platform_gateway.retry_outcomes WHERE written_at < now() - make_interval(secs => $1)", [ParameterType.Double]);

    /// <summary>Whether a server process waits for standbys to have its commit; no row when there is none of this number.</summary>
    public static readonly Statement IsCommitWaiting = new(
        "SELECT wait_event IS NOT DISTINCT FROM 'SyncRep' FROM pg_stat_get_activity($1::int)", [ParameterType.Int64]);

    /// <summary>Ends that wait, which leaves the commit as it is; no row when the process does not wait for it.</summary>
    public static readonly Statement EndCommitWait = new(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_get_activity($1::int) WHERE wait_event = 'SyncRep'", [ParameterType.Int64]);

    /// <summary>How much of the journal is on this member's disk, which is more than any commit that was confirmed needs.</summary>
    public static readonly Statement FlushedTo = new("SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint", []);

    /// <summary>Whether reads on this standby see all of the journal up to a point.</summary>
    public static readonly Statement HasReplayed = new(
        "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= $1", [ParameterType.Int64], Prepared: true);

    /// <summary>How many other members have the journal up to a point on their disks.</summary>
    public static readonly Statement MembersWith = new(
        "SELECT count(*) FROM pg_stat_replication WHERE application_name ~ '^n[0-9]+$' AND flush_lsn - '0/0'::pg_lsn >= $1", [ParameterType.Int64]);

    /// <summary>A commit that waits for the disk, and so for every commit before it.</summary>
    public static readonly Statement Flush = new("SELECT pg_logical_emit_message(true, 'platform_gateway', '')", []);

    /// <summary>
    /// What the gateway itself keeps beside the backend's catalogue: options of collections that the backend has no place for,
    /// roles and restrictions of users, and outcomes of retryable writes. Options are keyed by the backend's number of a collection, which a rename
    /// keeps and which is never given again.
    /// <para>
    /// An outcome is written by the statement that makes the write, one row for each transaction of a command: <c>first</c> is the position of its
    /// first statement. A newer number of the session takes the row over; an equal or an older one cannot (<c>number</c> becomes null,
    /// which is an error), and what it wrote is undone with it. Users have their own rows only.
    /// </para>
    /// <para>
    /// <c>settled</c> is given the replies in which something failed. The backend reports deadlocks (40P01) and concurrent changes (40001)
    /// there, as numbers, after which the rest would be kept. <c>succeeded</c> takes no failure at all.
    /// </para>
    /// <para>
    /// A time series has measurements, of which several may have the same <c>_id</c>: its table has an index of it that is not unique, and names the rows
    /// that change or go in WAL by all that they hold, since nothing else tells them apart.
    /// </para>
    /// <para>
    /// The backend counts what an update wrote, which may be what was there already. A trigger of each collection counts those documents in a
    /// setting that lasts as long as the transaction.
    /// </para>
    /// </summary>
    public const string OwnSchema = """
        SELECT pg_advisory_xact_lock(7243392870114);
        CREATE SCHEMA IF NOT EXISTS platform_gateway;
        CREATE TABLE IF NOT EXISTS platform_gateway.collection_options (collection_id bigint PRIMARY KEY, options bytea NOT NULL);
        CREATE TABLE IF NOT EXISTS platform_gateway.user_options (user_name text PRIMARY KEY, options bytea NOT NULL);
        REVOKE ALL ON platform_gateway.user_options FROM PUBLIC;
        CREATE TABLE IF NOT EXISTS platform_gateway.roles (
          role_name text, database_name text, definition bytea NOT NULL, PRIMARY KEY (role_name, database_name));
        REVOKE ALL ON platform_gateway.roles FROM PUBLIC;
        CREATE TABLE IF NOT EXISTS platform_gateway.secrets (name text PRIMARY KEY, secret bytea NOT NULL);
        REVOKE ALL ON platform_gateway.secrets FROM PUBLIC;
        INSERT INTO platform_gateway.secrets VALUES ('salts', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) ON CONFLICT DO NOTHING;
        GRANT USAGE ON SCHEMA platform_gateway TO documentdb_admin_role, documentdb_readonly_role;
        GRANT SELECT ON platform_gateway.collection_options TO documentdb_readonly_role;
        GRANT SELECT, INSERT, UPDATE, DELETE ON platform_gateway.collection_options TO documentdb_admin_role;
        CREATE TABLE IF NOT EXISTS platform_gateway.retry_outcomes (
          user_name name NOT NULL DEFAULT current_user, session bytea NOT NULL, first bigint NOT NULL, number bigint NOT NULL,
          count bigint NOT NULL, reply bytea NOT NULL, success boolean NOT NULL, unchanged bigint NOT NULL, written_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (session, first, user_name)) WITH (fillfactor = 50);
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = 'platform_gateway' AND tablename = 'retry_outcomes') THEN
            ALTER TABLE platform_gateway.retry_outcomes ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own_outcomes ON platform_gateway.retry_outcomes USING (user_name = current_user);
          END IF;
        END $$;
        GRANT SELECT, INSERT, UPDATE ON platform_gateway.retry_outcomes TO documentdb_admin_role, documentdb_readonly_role;
        CREATE OR REPLACE FUNCTION platform_gateway.allow_same_keys(collection bigint) RETURNS void
          LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN
          IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('documentdb_data.documents_' || collection) AND contype = 'p')
            AND EXISTS (SELECT FROM platform_gateway.collection_options o WHERE o.collection_id = collection
              AND documentdb_core.bson_from_bytea(o.options) OPERATOR(documentdb_api_catalog.@@) '{ "timeseries": { "$exists": true } }'::documentdb_core.bson)
          THEN
            EXECUTE format('ALTER TABLE documentdb_data.documents_%1$s DROP CONSTRAINT collection_pk_%1$s, REPLICA IDENTITY FULL', collection);
            EXECUTE format('CREATE INDEX collection_pk_%1$s ON documentdb_data.documents_%1$s (shard_key_value, object_id)', collection);
          END IF;
        END $$;
        REVOKE EXECUTE ON FUNCTION platform_gateway.allow_same_keys FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION platform_gateway.allow_same_keys TO documentdb_admin_role;
        DO $$ BEGIN PERFORM platform_gateway.allow_same_keys(collection_id) FROM platform_gateway.collection_options; END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.settled(result documentdb_core.bson) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN
          IF result OPERATOR(documentdb_api_catalog.@@) '{ "writeErrors.code": { "$in": [16908292, 16777220] } }'::documentdb_core.bson THEN
            RAISE EXCEPTION 'the write met another one' USING ERRCODE = 'serialization_failure';
          END IF;
          RETURN result::bytea;
        END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.succeeded(result documentdb_core.bson) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN
          RAISE EXCEPTION 'one of the writes failed' USING ERRCODE = 'serialization_failure';
        END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.unchanged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          PERFORM set_config('platform_gateway.unchanged', (coalesce(nullif(current_setting('platform_gateway.unchanged', true), ''), '0')::bigint + 1)::text, true);
          RETURN NULL;
        END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.watch(collection regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
          EXECUTE format('CREATE TRIGGER platform_gateway_unchanged AFTER UPDATE ON %s FOR EACH ROW'
            ' WHEN (OLD.document::bytea = NEW.document::bytea) EXECUTE FUNCTION platform_gateway.unchanged()', collection);
        END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.watch_new() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN
          PERFORM platform_gateway.watch(objid::regclass) FROM pg_event_trigger_ddl_commands()
            WHERE command_tag = 'CREATE TABLE' AND object_identity ~ '^documentdb_data\.documents_[0-9]+$';
        END $$;
        REVOKE EXECUTE ON FUNCTION platform_gateway.watch FROM PUBLIC;
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'platform_gateway_watch') THEN
            CREATE EVENT TRIGGER platform_gateway_watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION platform_gateway.watch_new();
          END IF;
          PERFORM platform_gateway.watch(c.oid) FROM pg_class c
            WHERE c.relnamespace = 'documentdb_data'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^documents_[0-9]+$'
            AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = 'platform_gateway_unchanged');
        END $$;
        """;

    private const string OptionsOf =
        "FROM documentdb_api_catalog.collections c LEFT JOIN platform_gateway.collection_options o USING (collection_id) WHERE c.database_name = $1";

    /// <summary>Names and own options of a database's collections that have such, and the hidden collections.</summary>
    public static readonly Statement CollectionOptions = new(
        $"SELECT c.collection_name, o.options {OptionsOf} AND (o.options IS NOT NULL OR c.collection_name = '{SystemProfile.Stored}')", [Text]);

    /// <summary>Lets documents of a time series have the same key.</summary>
    public static readonly Statement AllowSameKeys = new(
        "SELECT platform_gateway.allow_same_keys(collection_id) FROM documentdb_api_catalog.collections WHERE database_name = $1 AND collection_name = $2",
        [Text, Text]);

    /// <summary>The own options of one collection, and its validator as the backend keeps it.</summary>
    public static readonly Statement OptionsOfCollection = new(
        $"SELECT o.options, c.validator::bytea, c.collection_id {OptionsOf} AND c.collection_name = $2", [Text, Text], Prepared: true);

    public static readonly Statement SetCollectionOptions = new(
        "INSERT INTO platform_gateway.collection_options SELECT collection_id, $3 FROM documentdb_api_catalog.collections"
        + " WHERE database_name = $1 AND collection_name = $2 ON CONFLICT (collection_id) DO UPDATE SET options = excluded.options",
        [Text, Text, Bytes]);

    /// <summary>Forgets options of collections that were dropped.</summary>
    public static readonly Statement PurgeCollectionOptions = new(
        "DELETE FROM platform_gateway.collection_options o WHERE NOT EXISTS"
        + " (SELECT FROM documentdb_api_catalog.collections c WHERE c.collection_id = o.collection_id)",
        []);

    /// <summary>The name and key pattern of an index by its name or the backend's number of it.</summary>
    public static readonly Statement IndexKey = new(
        "SELECT (i.index_spec).index_name, (i.index_spec).index_key::bytea FROM documentdb_api_catalog.collection_indexes i"
        + " JOIN documentdb_api_catalog.collections c USING (collection_id)"
        + " WHERE c.database_name = $1 AND c.collection_name = $2 AND ((i.index_spec).index_name = $3 OR i.index_id = $4) LIMIT 1",
        [Text, Text, Text, ParameterType.Int64]);

    /// <summary>The names and key patterns of a collection's indexes.</summary>
    public static readonly Statement IndexKeys = new(
        "SELECT (i.index_spec).index_name, (i.index_spec).index_key::bytea FROM documentdb_api_catalog.collection_indexes i"
        + " JOIN documentdb_api_catalog.collections c USING (collection_id) WHERE c.database_name = $1 AND c.collection_name = $2 AND i.index_is_valid",
        [Text, Text]);

    /// <summary>How often queries read a collection's indexes beside that of <c>_id</c>, by their names.</summary>
    /// <remarks>
    /// PostgreSQL's number of scans has more: the backend's planner opens each index that could serve a query, whether or not it is then used, which
    /// reads no entry; so does the build of an index; and each document that is written is looked up in each unique index, which fetches it alone, and
    /// reads the version before it when it is changed.
    /// </remarks>
    public static readonly Statement IndexUses = new(
        """
        SELECT (i.index_spec).index_name, CASE
            WHEN NOT coalesce((i.index_spec).index_is_unique, false) THEN CASE WHEN s.idx_tup_read = 0 THEN 0 ELSE greatest(s.idx_scan - 1, 1) END
            WHEN s.idx_tup_fetch > t.n_tup_ins + t.n_tup_upd THEN greatest(s.idx_scan - 1 - t.n_tup_ins - t.n_tup_upd, 1)
            WHEN s.idx_tup_read - s.idx_tup_fetch > t.n_tup_upd THEN greatest(s.idx_scan - 1 - t.n_tup_ins - t.n_tup_upd, 0)
            ELSE 0 END
          FROM documentdb_api_catalog.collections c JOIN documentdb_api_catalog.collection_indexes i USING (collection_id)
          JOIN pg_catalog.pg_stat_all_indexes s ON s.schemaname = 'documentdb_data' AND s.indexrelname = 'documents_rum_index_' || i.index_id
          JOIN pg_catalog.pg_stat_all_tables t USING (relid)
          WHERE c.database_name = $1 AND c.collection_name = $2
        """,
        [Text, Text]);

    /// <summary>The key patterns of a collection's unique indexes beside that of <c>_id</c>, and whether they hold for a part of the documents.</summary>
    public static readonly Statement UniqueKeys = new(
        "SELECT (i.index_spec).index_key::bytea, (i.index_spec).index_pfe IS NOT NULL FROM documentdb_api_catalog.collection_indexes i"
        + " JOIN documentdb_api_catalog.collections c USING (collection_id)"
        + " WHERE c.database_name = $1 AND c.collection_name = $2 AND (i.index_spec).index_is_unique",
        [Text, Text], Prepared: true);

    public static readonly Statement DatabaseSizes = new(
        "SELECT database_name, sum(coalesce(pg_total_relation_size(to_regclass('documentdb_data.documents_' || collection_id)), 0))::bigint"
        + " FROM documentdb_api_catalog.collections GROUP BY database_name",
        []);

    public static readonly Statement SetUserOptions = new(
        "INSERT INTO platform_gateway.user_options VALUES ($1, $2) ON CONFLICT (user_name) DO UPDATE SET options = excluded.options", [Text, Bytes]);

    public static readonly Statement DeleteUserOptions = new("DELETE FROM platform_gateway.user_options WHERE user_name = $1", [Text]);

    public static readonly Statement Version = new("SELECT documentdb_api.binary_version()", []);

    /// <summary>The plan of a command as JSON; <paramref name="kind"/> is pipeline, find, count, distinct, update or delete.</summary>
    public static Statement Explain(string kind, bool run) => new(
        $"EXPLAIN (FORMAT JSON, VERBOSE{(run ? ", ANALYZE, BUFFERS" : "")}) SELECT document FROM documentdb_api_catalog.bson_aggregation_{kind}($1,$2)",
        [Text, Bytes]);
}
