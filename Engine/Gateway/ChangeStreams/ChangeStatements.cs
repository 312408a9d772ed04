using Platform.Gateway.Backend;

namespace Platform.Gateway.ChangeStreams;

/// <summary>What change streams ask of PostgreSQL.</summary>
internal static class ChangeStatements
{
    /// <summary>The publication of all changes.</summary>
    public const string Changes = "platform_changes";

    /// <summary>
    /// The slots that keep WAL for streams that begin in the past; the digits are the time, in microseconds since 1970, from which on nothing is missing.
    /// </summary>
    public const string SlotPrefix = "platform_oplog_";

    private const ParameterType Text = ParameterType.Text;
    private const ParameterType Int64 = ParameterType.Int64;

    /// <summary>
    /// What change streams need in the database. Rows of the catalogue are streamed with what they were before, since a deletion would
    /// not tell which collection was dropped; rows of documents only where the collection asks for images, or where
    /// updates are watched: the document before the update is what its description is made from, and costs as much WAL again.
    /// </summary>
    public const string Schema = """
        SELECT pg_advisory_xact_lock(7243392870115);
        CREATE TABLE IF NOT EXISTS platform_gateway.watched (
          database_name text NOT NULL, collection_name text NOT NULL, until timestamptz NOT NULL, PRIMARY KEY (database_name, collection_name));
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'platform_changes') THEN
            CREATE PUBLICATION platform_changes FOR TABLES IN SCHEMA documentdb_data,
              TABLE documentdb_api_catalog.collections, documentdb_api_catalog.collection_indexes, platform_gateway.collection_options;
            CREATE PUBLICATION platform_definitions FOR TABLE documentdb_api_catalog.collections, platform_gateway.collection_options;
            ALTER TABLE documentdb_api_catalog.collections REPLICA IDENTITY FULL;
            ALTER TABLE documentdb_api_catalog.collection_indexes REPLICA IDENTITY FULL;
            ALTER TABLE platform_gateway.collection_options REPLICA IDENTITY FULL;
          END IF;
        END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.wants_images(collection bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
          SELECT EXISTS (SELECT FROM platform_gateway.watched w WHERE w.until > now()
              AND w.database_name IN ('', c.database_name) AND w.collection_name IN ('', c.collection_name))
            OR coalesce(documentdb_core.bson_from_bytea(o.options) OPERATOR(documentdb_api_catalog.@@)
              '{ "$or": [{ "changeStreamPreAndPostImages.enabled": true }, { "timeseries": { "$exists": true } }] }'::documentdb_core.bson, false)
          FROM documentdb_api_catalog.collections c LEFT JOIN platform_gateway.collection_options o USING (collection_id) WHERE c.collection_id = collection
        $$;
        CREATE OR REPLACE FUNCTION platform_gateway.set_images(collection bigint) RETURNS void
          LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '200ms' AS $$
          DECLARE wanted "char" := CASE WHEN platform_gateway.wants_images(collection) THEN 'f' ELSE 'd' END;
          BEGIN
            IF (SELECT relreplident FROM pg_class WHERE oid = to_regclass('documentdb_data.documents_' || collection)) <> wanted THEN
              EXECUTE format('ALTER TABLE documentdb_data.documents_%s REPLICA IDENTITY %s', collection, CASE wanted WHEN 'f' THEN 'FULL' ELSE 'DEFAULT' END);
            END IF;
          END $$;
        CREATE OR REPLACE FUNCTION platform_gateway.watch_created() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
          DECLARE created text;
          BEGIN
            IF EXISTS (SELECT FROM platform_gateway.watched WHERE until > now()) THEN
              FOR created IN SELECT object_identity FROM pg_event_trigger_ddl_commands()
                WHERE command_tag = 'CREATE TABLE' AND object_identity ~ '^documentdb_data\.documents_[0-9]+$' LOOP
                EXECUTE 'ALTER TABLE ' || created || ' REPLICA IDENTITY FULL';
              END LOOP;
            END IF;
          END $$;
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'platform_gateway_watch_created') THEN
            CREATE EVENT TRIGGER platform_gateway_watch_created ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
              EXECUTE FUNCTION platform_gateway.watch_created();
          END IF;
        END $$;
        """;

    private const string Tables =
        "FROM documentdb_api_catalog.collections c JOIN pg_class t ON t.oid = to_regclass('documentdb_data.documents_' || c.collection_id)";

    /// <summary>What keeps this server from change streams, if anything: WAL that cannot be decoded.</summary>
    public static readonly Statement WalLevel = new("SELECT current_setting('wal_level')", []);

    /// <summary>A number that the members of a replica set have in common.</summary>
    public static readonly Statement Cluster = new("SELECT system_identifier FROM pg_control_system()", []);

    /// <summary>Everything that was acknowledged was committed before this place.</summary>
    public static readonly Statement Now = new(
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END", [], Prepared: true);

    /// <summary>
    /// How far the primary's WAL is written, and how far it is on so many other members that it cannot be undone; nothing when they are too few.
    /// </summary>
    public static readonly Statement Durable = new(
        "SELECT pg_current_wal_flush_lsn(), (SELECT flush_lsn FROM pg_stat_replication WHERE application_name ~ '^n[0-9]+$' AND flush_lsn IS NOT NULL"
        + " ORDER BY flush_lsn DESC OFFSET $1 LIMIT 1)",
        [Int64], Prepared: true);

    /// <summary>Lets a standby make a slot, for which it waits to hear which transactions run.</summary>
    public static readonly Statement Snapshot = new("SELECT pg_log_standby_snapshot()", []);

    /// <summary>The slots, the newest first: name, from which place on, whether they are of use.</summary>
    public static readonly Statement Slots = new(
        "SELECT slot_name::text, coalesce(confirmed_flush_lsn, '0/0'::pg_lsn), confirmed_flush_lsn IS NOT NULL AND invalidation_reason IS NULL,"
        + " coalesce(restart_lsn, '0/0'::pg_lsn) FROM pg_replication_slots"
        + $" WHERE slot_name ~ '^{SlotPrefix}[0-9]+$' AND database = current_database() ORDER BY slot_name DESC",
        []);

    public static readonly Statement CreateSlot = new("SELECT pg_create_logical_replication_slot($1::name, 'pgoutput', true)", [Text]);
    public static readonly Statement CopySlot = new("SELECT pg_copy_logical_replication_slot($1::name, $2::name, $3)", [Text, Text, ParameterType.Boolean]);
    public static readonly Statement AdvanceSlot = new("SELECT pg_replication_slot_advance($1::name, '0/0'::pg_lsn + $2)", [Text, Int64]);
    public static readonly Statement DropSlot = new("SELECT pg_drop_replication_slot($1::name)", [Text]);

    /// <summary>The collections as they are: number, database, name, UUID, whether it is a view, own options.</summary>
    public static readonly Statement Collections = new(
        "SELECT c.collection_id, c.database_name, c.collection_name, uuid_send(c.collection_uuid), c.view_definition IS NOT NULL, o.options"
        + " FROM documentdb_api_catalog.collections c LEFT JOIN platform_gateway.collection_options o USING (collection_id)",
        []);

    /// <summary>The changes of definitions up to a place, as the plugin writes them.</summary>
    public static readonly Statement Definitions = new(
        "SELECT data FROM pg_logical_slot_peek_binary_changes($1::name, '0/0'::pg_lsn + $2, NULL, 'proto_version', '1',"
        + " 'publication_names', 'platform_definitions', 'binary', 'true')",
        [Text, Int64]);

    /// <summary>Notes that a database's collection is watched, for as many seconds.</summary>
    public static readonly Statement Watch = new(
        "INSERT INTO platform_gateway.watched VALUES ($1, $2, now() + make_interval(secs => $3)) ON CONFLICT (database_name, collection_name)"
        + " DO UPDATE SET until = greatest(watched.until, excluded.until)",
        [Text, Text, ParameterType.Double]);

    /// <summary>The watched collections of which WAL does not have the documents before an update yet.</summary>
    public static readonly Statement WithoutImages = new(
        $"SELECT c.collection_id {Tables} WHERE t.relreplident <> 'f' AND ($1 = '' OR c.database_name = $1) AND ($2 = '' OR c.collection_name = $2)"
        + " AND c.view_definition IS NULL",
        [Text, Text]);

    /// <summary>The collections of which WAL has them although nobody watches any more.</summary>
    public static readonly Statement Unwatched = new(
        $"SELECT c.collection_id {Tables} WHERE t.relreplident = 'f' AND NOT platform_gateway.wants_images(c.collection_id)", []);

    /// <summary>Whether a collection is a view or a time series; no row when there is none of this name.</summary>
    public static readonly Statement IsDerived = new(
        "SELECT c.view_definition IS NOT NULL OR coalesce(documentdb_core.bson_from_bytea(o.options) OPERATOR(documentdb_api_catalog.@@)"
        + " '{ \"timeseries\": { \"$exists\": true } }'::documentdb_core.bson, false)"
        + " FROM documentdb_api_catalog.collections c LEFT JOIN platform_gateway.collection_options o USING (collection_id)"
        + " WHERE c.database_name = $1 AND c.collection_name = $2",
        [Text, Text]);

    public static readonly Statement SetImagesOf = new(
        "SELECT platform_gateway.set_images(collection_id) FROM documentdb_api_catalog.collections WHERE database_name = $1 AND collection_name = $2",
        [Text, Text]);

    public static readonly Statement SetImages = new("SELECT platform_gateway.set_images($1)", [Int64]);
    public static readonly Statement ForgetWatched = new("DELETE FROM platform_gateway.watched WHERE until < now()", []);
}
