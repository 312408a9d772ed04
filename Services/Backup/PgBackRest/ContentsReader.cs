using System.Data;
using System.Globalization;
using Npgsql;
using Platform.Backup.Engines;

namespace Platform.Backup.PgBackRest;

/// <summary>Reads what a server has, in one snapshot. The server hashes: no document leaves it.</summary>
internal sealed class ContentsReader : IAsyncDisposable
{
    /// <summary>
    /// Into how many parts the documents of a collection are parted: twelve bits of a hash. The fewer documents a part has, the fewer are not compared because
    /// one of them was written to.
    /// </summary>
    private const int Parts = 4096;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private ContentsReader(NpgsqlConnection connection, NpgsqlTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    /// <summary>Takes a snapshot.</summary>
    /// <param name="connectionString">The server.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="NpgsqlException">It did not answer.</exception>
    public static async Task<ContentsReader> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        // However much there is to read.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0 }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            // The first statement takes it.
            await using var first = new NpgsqlCommand("SELECT pg_current_snapshot()::text", connection, transaction);
            await first.ExecuteScalarAsync(cancellationToken);
            return new ContentsReader(connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads everything.</summary>
    public async Task<DatabaseContents> ReadAsync(CancellationToken cancellationToken)
    {
        var indexes = (await RowsAsync(
            """
            SELECT i.collection_id, (i.index_spec).index_name,
              encode(sha256(convert_to(i::text || coalesce(pg_get_indexdef(x.indexrelid) || x.indisvalid, 'is not there'), 'UTF8')), 'hex')
            FROM documentdb_api_catalog.collection_indexes i
              LEFT JOIN pg_class k ON k.relnamespace = 'documentdb_data'::regnamespace
                AND k.relname IN ('documents_rum_index_' || i.index_id, 'collection_pk_' || i.collection_id)
                AND (k.relname LIKE 'collection_pk_%') = ((i.index_spec).index_name = '_id_')
              LEFT JOIN pg_index x ON x.indexrelid = k.oid
            """,
            row => (Collection: row.GetInt64(0), Name: row.GetString(1), Hash: row.GetString(2)),
            cancellationToken)).ToLookup(index => index.Collection);
        var collections = await RowsAsync(
            """
            SELECT c.database_name || '.' || c.collection_name, c.collection_id, c.view_definition IS NULL,
              encode(sha256(convert_to(c::text || coalesce(o.options::text, ''), 'UTF8')), 'hex')
            FROM documentdb_api_catalog.collections c LEFT JOIN platform_gateway.collection_options o USING (collection_id)
            -- What belongs to a command that runs goes with it.
            WHERE c.collection_name <> 'system.dbSentinel' AND c.collection_name NOT LIKE 'tmp.agg_out.%'
            """,
            row => (Name: row.GetString(0), Id: row.GetInt64(1), HasDocuments: row.GetBoolean(2), Definition: row.GetString(3)),
            cancellationToken);
        var contents = new SortedDictionary<string, CollectionContents>(StringComparer.Ordinal);
        foreach (var (name, id, hasDocuments, definition) in collections)
        {
            contents[name] = new CollectionContents(
                definition,
                indexes[id].ToDictionary(index => index.Name, index => index.Hash, StringComparer.Ordinal),
                hasDocuments ? await PartsAsync(id, cancellationToken) : new Dictionary<int, PartContents>());
        }

        var accounts = await RowsAsync(
            $"""
            SELECT 'user ' || r.rolname, encode(sha256(convert_to(concat_ws('/', r.rolpassword, o.options::text,
                (SELECT string_agg(g.rolname, ',' ORDER BY g.rolname) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)),
              'UTF8')), 'hex')
            FROM pg_authid r LEFT JOIN platform_gateway.user_options o ON o.user_name = r.rolname
            WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> '{MongoNames.RootUser}' AND r.rolname !~ '^documentdb_'
            UNION ALL
            SELECT 'role ' || role_name || ' on ' || database_name, encode(sha256(definition), 'hex') FROM platform_gateway.roles
            """,
            row => (Name: row.GetString(0), Hash: row.GetString(1)),
            cancellationToken);
        return new DatabaseContents(contents, accounts.ToDictionary(account => account.Name, account => account.Hash, StringComparer.Ordinal));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    // Sums, not exclusive ors: measurements may be the same twice.
    private async Task<IReadOnlyDictionary<int, PartContents>> PartsAsync(long collection, CancellationToken cancellationToken) =>
        (await RowsAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                SELECT ((get_byte(key, 0) << 8) | get_byte(key, 1)) % {Parts}, count(*), concat_ws(':',
                  sum(('x' || encode(substring(hash FROM 1 FOR 7), 'hex'))::bit(56)::bigint),
                  sum(('x' || encode(substring(hash FROM 8 FOR 7), 'hex'))::bit(56)::bigint),
                  sum(('x' || encode(substring(hash FROM 15 FOR 7), 'hex'))::bit(56)::bigint))
                FROM (SELECT sha256(object_id::bytea) AS key, sha256(document::bytea) AS hash FROM documentdb_data.documents_{collection}) AS documents
                GROUP BY 1
                """),
            row => (Part: row.GetInt32(0), Contents: new PartContents(row.GetInt64(1), row.GetString(2))),
            cancellationToken)).ToDictionary(part => part.Part, part => part.Contents);

    private async Task<IReadOnlyList<T>> RowsAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, _connection, _transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
