using System.Collections.Concurrent;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Libmongocrypt;

namespace Platform.Data.Encryption;

/// <summary>
/// Encrypts fields of documents, each with the key of the document's tenant, and decrypts them, as MongoDB's drivers do. Thread-safe; one per process.
/// </summary>
/// <remarks>
/// Keys are read from the vault once a minute at most, and used for a minute at most after they were removed from it. What is encrypted with a tenant's key is
/// taken for that tenant alone: moved into another tenant's document it is refused.
/// </remarks>
public sealed class FieldEncryption : IDisposable
{
    // The library keeps keys for a minute; what is known here of them is not to outlive that.
    private static readonly TimeSpan s_known = TimeSpan.FromSeconds(50);

    private readonly IKeyVault _vault;
    private readonly TimeProvider _time;
    private readonly MasterKey _master;
    private readonly HashSet<string> _providers;
    private readonly CryptClient _client;
    private readonly ConcurrentDictionary<ObjectId, (BsonBinaryData Key, long At)> _keys = new();

    /// <summary>Encrypts with keys of a vault.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="master">The master key that new keys are encrypted with.</param>
    /// <param name="others">Those with which keys may still be encrypted; null for none.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public FieldEncryption(IKeyVault vault, MasterKey master, IEnumerable<MasterKey>? others = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(master);
        (_vault, _master, _time) = (vault, master, time ?? TimeProvider.System);
        List<MasterKey> masters = [.. (others ?? []).Prepend(master).DistinctBy(each => each.Provider)];
        _providers = [.. masters.Select(each => each.Provider)];
        var credentials = new BsonDocument(masters.Select(each => new BsonElement(each.Provider, new BsonDocument("key", new BsonBinaryData(each.Bytes)))));
        _client = CryptClientFactory.Create(new CryptOptions([new KmsCredentials(credentials.ToBson())]));
    }

    /// <summary>The name of a tenant's key in the vault.</summary>
    /// <param name="tenant">The tenant.</param>
    public static string NameOf(ObjectId tenant) => $"tenant:{tenant}";

    /// <summary>Encrypts what is plain of a document's fields.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="document">The document, which is changed.</param>
    /// <exception cref="FieldEncryptionException">It names no tenant, or the tenant's key cannot be used.</exception>
    public void Encrypt(IReadOnlyList<EncryptedField> fields, BsonDocument document)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(document);
        foreach (var field in fields)
        {
            if (document.TryGetValue(field.Name, out var value) && field.IsPlain(value))
            {
                document[field.Name] = Encrypt(TenantOf(document, field), field, value);
            }
        }
    }

    /// <summary>Encrypts a value.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="field">The field.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="FieldEncryptionException">The tenant's key cannot be used.</exception>
    public BsonBinaryData Encrypt(ObjectId tenant, EncryptedField field, BsonValue value)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Encrypt(tenant, field, value, mayCreate: true)!;
    }

    /// <summary>Encrypts a value that is looked for: no key is made for that.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="field">The field.</param>
    /// <param name="value">The value.</param>
    /// <returns>The value, encrypted; null when the tenant has no key, so that nothing of it is.</returns>
    /// <exception cref="FieldEncryptionException">The tenant's key cannot be used.</exception>
    public BsonBinaryData? EncryptToFind(ObjectId tenant, EncryptedField field, BsonValue value)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Encrypt(tenant, field, value, mayCreate: false);
    }

    /// <summary>Decrypts what is encrypted of a document's fields.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="document">The document, which is changed.</param>
    /// <exception cref="FieldEncryptionException">A field was changed, or its key is missing or not the tenant's.</exception>
    public void Decrypt(IReadOnlyList<EncryptedField> fields, BsonDocument document)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(document);
        foreach (var field in fields)
        {
            if (document.TryGetValue(field.Name, out var value) && EncryptedField.IsEncrypted(value))
            {
                document[field.Name] = Decrypt(TenantOf(document, field), field, value.AsBsonBinaryData, document);
            }
        }
    }

    /// <summary>
    /// Reads a tenant's key, and makes it when there is none, before a document of the tenant is written: then that need not wait for it on a connection that
    /// others wait for.
    /// </summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="FieldEncryptionException">The key is encrypted with another master key, or was changed.</exception>
    public async Task PrepareAsync(ObjectId tenant, CancellationToken cancellationToken = default)
    {
        if (Known(tenant) is not null)
        {
            return;
        }

        var name = NameOf(tenant);
        var found = await _vault.FindAsync(ByName(name), cancellationToken);
        while (found.Count == 0)
        {
            await RequireUsableAsync(cancellationToken);
            var made = Create(name);
            found = await _vault.TryInsertAsync(made, cancellationToken) ? [made] : await _vault.FindAsync(ByName(name), cancellationToken);
        }

        RequireUsable(found[0]);
        try
        {
            // What is made of it is not wanted: the library has the key afterwards, and asks nobody when the document comes.
            using var context = Explicit(found[0]["_id"].AsBsonBinaryData, EncryptionKind.Deterministic, "");
            Run(context, _ => found).Dispose();
        }
        catch (CryptException exception)
        {
            throw Unusable(found[0], exception);
        }

        Remember(tenant, found[0]);
    }

    /// <summary>Looks whether the keys that there are can be used with the master key.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="FieldEncryptionException">One cannot: a sentence with what to do.</exception>
    public async Task RequireUsableAsync(CancellationToken cancellationToken = default)
    {
        foreach (var key in await _vault.FindAsync(OfOthers(), cancellationToken))
        {
            RequireUsable(key);
        }
    }

    /// <summary>Encrypts keys with another master key.</summary>
    /// <param name="keys">The keys, each encrypted with a master key of this.</param>
    /// <returns>Of each its <c>_id</c>, and its <c>masterKey</c> and <c>keyMaterial</c> as they are to be.</returns>
    /// <exception cref="FieldEncryptionException">One cannot be decrypted: a sentence that names it.</exception>
    public IReadOnlyList<BsonDocument> Rewrap(IReadOnlyList<BsonDocument> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var key in keys)
        {
            RequireUsable(key);
        }

        if (keys.Count == 0)
        {
            return [];
        }

        try
        {
            using var context = _client.StartRewrapMultipleDataKeysContext(new KmsKeyId(Provider()), new BsonDocument().ToBson());
            using var result = Run(context, _ => keys);
            return [.. BsonSerializer.Deserialize<BsonDocument>(result.ToArray())["v"].AsBsonArray.Select(key => key.AsBsonDocument)];
        }
        catch (CryptException) when (keys.Count > 1)
        {
            // The library does not say which one it is.
            return [.. keys.SelectMany(key => Rewrap([key]))];
        }
        catch (CryptException exception)
        {
            throw Unusable(keys[0], exception);
        }
    }

    /// <summary>Ends it; documents that are read or written afterwards fail.</summary>
    public void Dispose() => _client.Dispose();

    // By their names, which are made of the master keys: one that is of another is enough.
    private BsonDocument OfOthers() => new("masterKey.provider", new BsonDocument("$nin", new BsonArray(_providers)));

    private static BsonDocument ByName(string name) => new("keyAltNames", name);

    private static ObjectId TenantOf(BsonDocument document, EncryptedField field) => document.TryGetValue(EncryptedFields.Tenant, out var tenant)
        && tenant is BsonObjectId id
        ? id.Value
        : throw new FieldEncryptionException($"The field {field.Name} of {Shown(document)} has no key, since the document names no tenant.");

    private static string Shown(BsonDocument document) => document.TryGetValue("_id", out var id) ? $"the document {id}" : "a document";

    private static string AlgorithmOf(EncryptionKind kind) => $"AEAD_AES_256_CBC_HMAC_SHA_512-{kind}";

    private byte[] Provider() => new BsonDocument("provider", _master.Provider).ToBson();

    private BsonBinaryData? Encrypt(ObjectId tenant, EncryptedField field, BsonValue value, bool mayCreate)
    {
        if (KeyOf(tenant, mayCreate) is not { } key)
        {
            return null;
        }

        try
        {
            return Encrypt(key, field, value);
        }
        catch (FieldEncryptionException) when (Forget(tenant, key))
        {
            // Removed less than a minute ago, and made anew by another process perhaps.
            return KeyOf(tenant, mayCreate) is { } other ? Encrypt(other, field, value) : null;
        }
    }

    private BsonBinaryData Encrypt(BsonBinaryData key, EncryptedField field, BsonValue value)
    {
        try
        {
            using var context = Explicit(key, field.Kind, value);
            return Value(context).AsBsonBinaryData;
        }
        catch (CryptException exception)
        {
            throw new FieldEncryptionException($"The field {field.Name} cannot be encrypted: {Told(exception)}.", exception);
        }
    }

    private BsonValue Decrypt(ObjectId tenant, EncryptedField field, BsonBinaryData value, BsonDocument document)
    {
        string Cannot() => $"The field {field.Name} of {Shown(document)} cannot be decrypted";

        // https://github.com/mongodb/specifications/blob/master/source/client-side-encryption/subtype6.md: the algorithm, and the key. What has an algorithm
        // that the library does not know it would give back as it is.
        if (value.Bytes.Length <= 17 || value.Bytes[0] is not (1 or 2))
        {
            throw new FieldEncryptionException($"{Cannot()}: it was changed after it was written.");
        }

        var key = KeyOf(tenant, mayCreate: false);
        if (key is null || !key.Bytes.AsSpan().SequenceEqual(value.Bytes.AsSpan(1, 16)))
        {
            // Made anew since it was read perhaps.
            if (key is not null && Forget(tenant, key))
            {
                key = KeyOf(tenant, mayCreate: false);
            }

            if (key is null || !key.Bytes.AsSpan().SequenceEqual(value.Bytes.AsSpan(1, 16)))
            {
                throw new FieldEncryptionException(
                    $"{Cannot()}: the key that encrypted it is not that of tenant {tenant} in {CollectionNames.KeyVault}; it was destroyed, or the field is "
                        + "another tenant's or was changed.");
            }
        }

        try
        {
            using var context = _client.StartExplicitDecryptionContext(new BsonDocument("v", value).ToBson());
            return Value(context) is var plain && field.IsPlain(plain) ? plain : throw new FieldEncryptionException($"{Cannot()}: it is of another kind.");
        }
        catch (CryptException exception)
        {
            throw new FieldEncryptionException($"{Cannot()}: it was changed after it was written, or its key was ({Told(exception)}).", exception);
        }
    }

    private BsonBinaryData? KeyOf(ObjectId tenant, bool mayCreate)
    {
        if (Known(tenant) is { } known)
        {
            return known;
        }

        var name = NameOf(tenant);
        var found = _vault.Find(ByName(name));
        while (found.Count == 0)
        {
            if (!mayCreate)
            {
                return null;
            }

            // A program that started with another master key while there were no keys must not mix its own in.
            foreach (var other in _vault.Find(OfOthers()))
            {
                RequireUsable(other);
            }

            // Another process may do the same: the first one's holds.
            var made = Create(name);
            found = _vault.TryInsert(made) ? [made] : _vault.Find(ByName(name));
        }

        RequireUsable(found[0]);
        return Remember(tenant, found[0]);
    }

    private BsonBinaryData? Known(ObjectId tenant) =>
        _keys.TryGetValue(tenant, out var known) && _time.GetElapsedTime(known.At) < s_known ? known.Key : null;

    private BsonBinaryData Remember(ObjectId tenant, BsonDocument key)
    {
        var id = key["_id"].AsBsonBinaryData;
        _keys[tenant] = (id, _time.GetTimestamp());
        return id;
    }

    private bool Forget(ObjectId tenant, BsonBinaryData key) =>
        _keys.TryGetValue(tenant, out var known) && known.Key == key && _keys.TryRemove(KeyValuePair.Create(tenant, known));

    private BsonDocument Create(string name)
    {
        try
        {
            using var context = _client.StartCreateDataKeyContext(new KmsKeyId(Provider(), [new BsonDocument("keyAltName", name).ToBson()], null));
            using var made = Run(context, _vault.Find);
            return BsonSerializer.Deserialize<BsonDocument>(made.ToArray());
        }
        catch (CryptException exception)
        {
            throw new FieldEncryptionException($"The key {name} cannot be made: {Told(exception)}.", exception);
        }
    }

    private CryptContext Explicit(BsonBinaryData key, EncryptionKind kind, BsonValue value) => _client.StartExplicitEncryptionContext(
        key.Bytes, null, null, null, AlgorithmOf(kind), new BsonDocument("v", value).ToBson(), null, false);

    private BsonValue Value(CryptContext context)
    {
        using var result = Run(context, _vault.Find);
        return BsonSerializer.Deserialize<BsonDocument>(result.ToArray())["v"];
    }

    private Binary Run(CryptContext context, Func<BsonDocument, IReadOnlyList<BsonDocument>> find)
    {
        while (true)
        {
            switch (context.State)
            {
                case CryptContext.StateCode.MONGOCRYPT_CTX_NEED_MONGO_KEYS:
                    using (var filter = context.GetOperation())
                    {
                        foreach (var key in find(BsonSerializer.Deserialize<BsonDocument>(filter.ToArray())))
                        {
                            RequireUsable(key);
                            context.Feed(key.ToBson());
                        }
                    }

                    context.MarkDone();
                    break;
                case CryptContext.StateCode.MONGOCRYPT_CTX_READY:
                    return context.FinalizeForEncryption();
                default:
                    throw new FieldEncryptionException($"The encryption library wants something that is not supported: {context.State}.");
            }
        }
    }

    private void RequireUsable(BsonDocument key)
    {
        var provider = key.GetValue("masterKey", new BsonDocument()).AsBsonDocument.GetValue("provider", "").ToString()!;
        if (!_providers.Contains(provider))
        {
            throw new FieldEncryptionException(
                provider.StartsWith("local", StringComparison.Ordinal)
                    ? $"Keys in {CollectionNames.KeyVault} are encrypted with the master key {provider}, and Encryption:MasterKeyFile has {_master.Provider}: "
                        + "give the program the master key that it had before, or, after a rotation, the new one."
                    : $"Keys in {CollectionNames.KeyVault} are encrypted by the provider {provider}: cloud KMS are not supported yet.");
        }
    }

    private static FieldEncryptionException Unusable(BsonDocument key, CryptException exception)
    {
        var name = key.GetValue("keyAltNames", null) is BsonArray { Count: > 0 } names ? names[0] : key.GetValue("_id", "without a name");
        return new FieldEncryptionException($"The key {name} of {CollectionNames.KeyVault} cannot be used: {Told(exception)}.", exception);
    }

    private static string Told(CryptException exception) => exception.Message.ReplaceLineEndings(" ").TrimEnd('.');
}
