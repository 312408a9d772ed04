using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Encryption;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Keys;

/// <summary>The tenants' keys of a database, and what is encrypted with them.</summary>
/// <param name="database">The database.</param>
internal sealed class DatabaseKeys(IMongoDatabase database)
{
    // What is held in memory at once; a key is some 300 bytes.
    private const int AtOnce = 500;

    private readonly IMongoCollection<BsonDocument> _keys = database.GetCollection<BsonDocument>(CollectionNames.KeyVault).ForDecisions();

    /// <summary>The collections with encrypted fields.</summary>
    public static IReadOnlyList<(CollectionDefinition Collection, IReadOnlyList<EncryptedField> Fields)> Encrypted { get; } =
    [
        .. CollectionCatalogue.Domain
            .Select(collection => (collection, Fields: EncryptedFields.Of(collection.DocumentType)))
            .Where(collection => collection.Fields.Count > 0),
    ];

    /// <summary>All keys, by name.</summary>
    public async Task<IReadOnlyList<TenantKey>> ReadAsync(CancellationToken cancellationToken)
    {
        var keys = await _keys.Find(new BsonDocument()).Sort(new BsonDocument("keyAltNames", 1)).ToListAsync(cancellationToken);
        return
        [
            .. keys.Select(key => new TenantKey(
                string.Join(", ", key.GetValue("keyAltNames", new BsonArray()).AsBsonArray),
                key["masterKey"]["provider"].AsString,
                key["creationDate"].ToUniversalTime(),
                key["updateDate"].ToUniversalTime())),
        ];
    }

    /// <summary>How much of each field is encrypted.</summary>
    /// <param name="tenant">Whose; null for everybody's.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public async Task<IReadOnlyList<FieldState>> CountAsync(ObjectId? tenant, CancellationToken cancellationToken)
    {
        var states = new List<FieldState>();
        foreach (var (collection, fields) in Encrypted)
        {
            foreach (var field in fields)
            {
                states.Add(new FieldState(collection.Name, field.Name, await CountAsync(field, "string", "object"), await CountAsync(field, "binData")));
            }

            Task<long> CountAsync(EncryptedField field, params string[] types)
            {
                var filter = new BsonDocument(field.Name, new BsonDocument("$type", new BsonArray(types)));
                return database.GetCollection<BsonDocument>(collection.Name).CountDocumentsAsync(
                    tenant is { } id ? filter.Add(EncryptedFields.Tenant, id) : filter, cancellationToken: cancellationToken);
            }
        }

        return states;
    }

    /// <summary>Encrypts all keys with another master key. Stopped anywhere it can be run again.</summary>
    /// <param name="master">That master key.</param>
    /// <param name="known">Those that keys are encrypted with now.</param>
    /// <param name="cancellationToken">Stops it between two keys.</param>
    /// <exception cref="FieldEncryptionException">One is encrypted with none of these.</exception>
    public async Task<KeyRotationReport> RotateAsync(MasterKey master, IEnumerable<MasterKey> known, CancellationToken cancellationToken)
    {
        using var encryption = new FieldEncryption(new MongoKeyVault(database), master, known);
        await encryption.RequireUsableAsync(cancellationToken);
        var others = new BsonDocument("masterKey.provider", new BsonDocument("$ne", master.Provider));
        var rotated = 0L;
        // Programs that still have the one before make keys meanwhile.
        while (await _keys.Find(others).Limit(AtOnce).ToListAsync(cancellationToken) is { Count: > 0 } keys)
        {
            Lease.RequireHeld();
            var before = keys.ToDictionary(key => key["_id"], key => key["masterKey"]);
            foreach (var key in encryption.Rewrap(keys))
            {
                // As it was read, or somebody else has done it.
                var result = await _keys.UpdateOneAsync(
                    new BsonDocument { { "_id", key["_id"] }, { "masterKey", before[key["_id"]] } },
                    new BsonDocument
                    {
                        { "$set", new BsonDocument { { "masterKey", key["masterKey"] }, { "keyMaterial", key["keyMaterial"] } } },
                        { "$currentDate", new BsonDocument("updateDate", true) },
                    },
                    cancellationToken: cancellationToken);
                rotated += result.ModifiedCount;
            }
        }

        return new KeyRotationReport(master.Provider, rotated, await _keys.CountDocumentsAsync(new BsonDocument(), cancellationToken: cancellationToken));
    }

    /// <summary>Whether a tenant has a key.</summary>
    public Task<bool> HasKeyAsync(ObjectId tenant, CancellationToken cancellationToken) => _keys.Find(ByTenant(tenant)).AnyAsync(cancellationToken);

    /// <summary>Destroys a tenant's key.</summary>
    public async Task DestroyAsync(ObjectId tenant, CancellationToken cancellationToken) => await _keys.DeleteOneAsync(ByTenant(tenant), cancellationToken);

    private static BsonDocument ByTenant(ObjectId tenant) => new("keyAltNames", FieldEncryption.NameOf(tenant));
}
