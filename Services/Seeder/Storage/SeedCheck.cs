using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

/// <summary>Looks for everything that would stop a run, before the run removes or writes anything.</summary>
/// <param name="database">The database.</param>
/// <param name="encryption">What is stored encrypted.</param>
internal sealed class SeedCheck(IMongoDatabase database, SeedEncryption encryption)
{
    // Of documents of others that are compared with what will be written; more of them are compared in several rounds.
    private const int KeysAtOnce = 50_000;

    /// <summary>Checks what is to be written.</summary>
    /// <param name="parts">What is to be written.</param>
    /// <param name="size">What everything is made from.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>Documents per collection that were not seeded and refer to seeded ones that will not be there.</returns>
    /// <exception cref="JobRefusedException">It cannot be written, or would change what documents of others refer to.</exception>
    public async Task<IReadOnlyDictionary<string, long>> RequireAsync(IReadOnlyList<SeedCollection> parts, SeedSize size, CancellationToken cancellationToken)
    {
        await RequireCollectionsAsync(parts, cancellationToken);
        foreach (var part in parts)
        {
            foreach (var index in part.Definition.Indexes.Where(index => index.Unique))
            {
                await RequireFreeAsync(part, index, size, cancellationToken);
            }
        }

        return await RequireSameReferencesAsync(size, cancellationToken);
    }

    /// <summary>Reads what the server says of each collection.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="JobRefusedException">One is missing.</exception>
    public async Task<IReadOnlyDictionary<string, BsonDocument>> ReadCollectionsAsync(CancellationToken cancellationToken)
    {
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var existing = (await cursor.ToListAsync(cancellationToken)).ToDictionary(collection => collection["name"].AsString);
        var missing = CollectionCatalogue.Domain.Select(collection => collection.Name).Except(existing.Keys).FirstOrDefault();
        return missing is null
            ? existing
            : throw new JobRefusedException($"The database '{database.DatabaseNamespace.DatabaseName}' has no collection '{missing}'; run the migrator first.");
    }

    // The first and the last document of each are made, and the server says whether its rules, which may be those of another version, let them pass.
    private async Task RequireCollectionsAsync(IReadOnlyList<SeedCollection> parts, CancellationToken cancellationToken)
    {
        var existing = await ReadCollectionsAsync(cancellationToken);
        foreach (var part in parts)
        {
            var step = part.Count / part.Units;
            var samples = new BsonArray(
                part.Documents(0, step).Concat(part.Documents(part.Count - step, part.Count)).Select(document => encryption.Sample(part, document)));
            var options = existing[part.Name].GetValue("options", new BsonDocument()).AsBsonDocument;
            if (!options.TryGetValue("validator", out var validator)
                || options.GetValue("validationLevel", "strict") == "off"
                || options.GetValue("validationAction", "error") == "warn")
            {
                continue;
            }

            PipelineDefinition<NoPipelineInput, BsonDocument> taken = new[] { new BsonDocument("$documents", samples), new BsonDocument("$match", validator) };
            using var cursor = await database.AggregateAsync(taken, cancellationToken: cancellationToken);
            if ((await cursor.ToListAsync(cancellationToken)).Count < samples.Count)
            {
                throw new JobRefusedException(
                    $"The rules that the database '{database.DatabaseNamespace.DatabaseName}' has for {part.Name} refuse the data of this version; run the "
                        + $"migrator of this version first.");
            }
        }
    }

    private async Task RequireFreeAsync(SeedCollection part, IndexDefinition index, SeedSize size, CancellationToken cancellationToken)
    {
        var fields = index.Keys.Select(key => key.Field).ToList();
        var others = SeedKeys.Others(part.Kind);
        if (part.Definition.IsTenantOwned)
        {
            others &= Builders<BsonDocument>.Filter.Gte(
                "tenantId", SeedGenerator.TenantId(0)) & Builders<BsonDocument>.Filter.Lte("tenantId", SeedGenerator.TenantId(size.Tenants - 1));
        }

        using var cursor = await Collection(part)
            .Find(others)
            .Project<RawBsonDocument>(new BsonDocument(fields.Select(field => new BsonElement(field, 1))))
            .ToCursorAsync(cancellationToken);
        var taken = new HashSet<BsonValue>();
        while (await cursor.MoveNextAsync(cancellationToken))
        {
            taken.UnionWith(cursor.Current.Select(document => KeyOf(encryption.Decrypt(part, document))));
            if (taken.Count >= KeysAtOnce)
            {
                Compare();
                taken.Clear();
            }
        }

        Compare();

        void Compare()
        {
            if (taken.Count > 0
                && part.Documents().Select(bytes => new RawBsonDocument(bytes)).FirstOrDefault(document => taken.Contains(KeyOf(document))) is { } document)
            {
                var key = string.Join(", ", fields.Select(field => $"{field} {document[field]}"));
                throw new JobRefusedException(
                    $"The document {document["_id"]} cannot be written to {part.Name}, since one that was not seeded has the same unique key ({key}); "
                        + $"change or remove that one.");
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        BsonValue KeyOf(BsonDocument document) => new BsonArray(fields.Select(field => document.GetValue(field, BsonNull.Value)));
    }

    // A key means the same document of the same tenant in every size. Versions before the third numbered without the tenant.
    private async Task<IReadOnlyDictionary<string, long>> RequireSameReferencesAsync(SeedSize size, CancellationToken cancellationToken)
    {
        var all = SeedCollection.All(size);
        var byName = all.ToDictionary(part => part.Name);
        var dangling = new Dictionary<string, long>();
        foreach (var part in all)
        {
            var projection = new BsonDocument(part.References.Select(reference => new BsonElement(reference.Path, 1)));
            using var cursor = await Collection(part).Find(SeedKeys.Others(part.Kind)).Project(projection).ToCursorAsync(cancellationToken);
            while (await cursor.MoveNextAsync(cancellationToken))
            {
                foreach (var document in cursor.Current)
                {
                    var left = false;
                    foreach (var (reference, id) in part.References.SelectMany(reference => SeedKeys.Read(document, reference).Select(id => (reference, id))))
                    {
                        var target = byName[reference.Target];
                        if (SeedId.TryRead(id, target.Kind, out var tenant, out var number))
                        {
                            var stays = tenant < size.Tenants && number < target.CountPerTenant;
                            left |= !stays;
                            if (stays
                                && document.GetValue("tenantId", BsonNull.Value) != SeedGenerator.TenantId(tenant)
                                && await IsOwnAsync(target, id, document["tenantId"], cancellationToken))
                            {
                                throw new JobRefusedException(
                                    $"The document {document["_id"]} of {part.Name}, which was not seeded, refers to {target.Name} {id}, which would become "
                                        + $"a document of another tenant; change or remove the former.");
                            }
                        }
                    }

                    if (left)
                    {
                        dangling[part.Name] = dangling.GetValueOrDefault(part.Name) + 1;
                    }
                }
            }
        }

        return dangling;
    }

    private Task<bool> IsOwnAsync(SeedCollection target, ObjectId id, BsonValue tenantId, CancellationToken cancellationToken) =>
        Collection(target)
            .Find(new BsonDocument { { "_id", id }, { target.Kind == SeedKind.Tenant ? "_id" : "tenantId", tenantId } })
            .Limit(1)
            .AnyAsync(cancellationToken);

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.GetCollection<BsonDocument>(part.Name);
}
