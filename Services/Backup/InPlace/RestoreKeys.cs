using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;
using Platform.Data.Catalogue;
using Platform.Data.Encryption;

namespace Platform.Backup.InPlace;

/// <summary>
/// Whether what comes back can be read: encrypted fields are copied as they are, and the running database has to have the keys that encrypted them.
/// </summary>
/// <param name="live">The running database.</param>
/// <param name="copy">The same database in the copy.</param>
/// <param name="scope">What is brought back.</param>
internal sealed class RestoreKeys(IMongoDatabase live, IMongoDatabase copy, RestoreScope scope)
{
    private const int BatchSize = 500;
    private const string Names = "keyAltNames";

    private static readonly string s_prefix = FieldEncryption.NameOf(ObjectId.Empty)[..^24];

    /// <summary>Compares the keys of both databases.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">One that documents of the copy need is not there: a sentence that names the tenant.</exception>
    public async Task RequireAsync(CancellationToken cancellationToken)
    {
        var encrypted = CollectionCatalogue.Domain
            .Where(definition => scope.Collections.Contains(definition.Name))
            .Select(definition => (definition.Name, Fields: EncryptedFields.Of(definition.DocumentType)))
            .Where(collection => collection.Fields.Count > 0)
            .ToList();
        if (encrypted.Count == 0)
        {
            return;
        }

        var filter = scope.Tenant is { } one ? new BsonDocument(Names, FieldEncryption.NameOf(one)) : [];
        using var cursor = await Keys(copy).Find(filter, new FindOptions { BatchSize = BatchSize }).ToCursorAsync(cancellationToken);
        while (await cursor.MoveNextAsync(cancellationToken))
        {
            var then = cursor.Current.ToList();
            var there = new BsonDocument("_id", new BsonDocument("$in", new BsonArray(then.Select(key => key["_id"]))));
            var now = (await Keys(live).Find(there).ToListAsync(cancellationToken)).Select(key => key["_id"]).ToHashSet();
            foreach (var key in then.Where(key => !now.Contains(key["_id"])))
            {
                if (TenantOf(key) is { } tenant && await NeedsAsync(encrypted, tenant, cancellationToken))
                {
                    throw await MissingAsync(tenant, cancellationToken);
                }
            }
        }
    }

    // A key that nothing was encrypted with does not matter.
    private async Task<bool> NeedsAsync(
        IEnumerable<(string Name, IReadOnlyList<EncryptedField> Fields)> collections, ObjectId tenant, CancellationToken cancellationToken)
    {
        foreach (var (name, fields) in collections)
        {
            var filter = new BsonDocument
            {
                { EncryptedFields.Tenant, tenant },
                { "$or", new BsonArray(fields.Select(field => new BsonDocument(field.Name, new BsonDocument("$type", "binData")))) },
            };
            if (await copy.GetCollection<BsonDocument>(name).Find(filter).Limit(1).AnyAsync(cancellationToken))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<BackupException> MissingAsync(ObjectId tenant, CancellationToken cancellationToken)
    {
        var hasOther = await Keys(live).Find(new BsonDocument(Names, FieldEncryption.NameOf(tenant))).AnyAsync(cancellationToken);
        return new BackupException(
            $"What tenant {tenant} had at that moment is encrypted with a key that {CollectionNames.KeyVault} "
                + (hasOther
                    ? "has no more, but another one of that tenant, so that nobody could read it: open the copy with 'backup restore --serve' and take from it "
                        + "what is needed, or see 'Destroying a tenant's data' of docs/security.md."
                    : "has no more, so that nobody could read it: open the copy with 'backup restore --serve' and first bring back the key, as 'Destroying a "
                        + "tenant's data' of docs/security.md says."),
            ExitCodes.Refused);
    }

    private static ObjectId? TenantOf(BsonDocument key) => key.GetValue(Names, null) is BsonArray names
        && names.OfType<BsonString>().FirstOrDefault(name => name.Value.StartsWith(s_prefix, StringComparison.Ordinal)) is { } name
        && ObjectId.TryParse(name.Value[s_prefix.Length..], out var tenant)
        ? tenant
        : null;

    private static IMongoCollection<BsonDocument> Keys(IMongoDatabase database) => database.GetCollection<BsonDocument>(
        CollectionNames.KeyVault, new MongoCollectionSettings { ReadPreference = ReadPreference.Primary, ReadConcern = ReadConcern.Majority });
}
