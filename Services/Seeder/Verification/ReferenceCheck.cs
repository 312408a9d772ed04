using System.Collections.Concurrent;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Verification;

/// <summary>
/// Follows references in the database: asks for the documents of one piece at a time which tenants own them, and remembers a bounded
/// number of answers. Thread-safe.
/// </summary>
internal sealed class ReferenceCheck(IMongoDatabase database)
{
    private const int MostRemembered = 200_000;

    // The owner, or none when there is no such document.
    private readonly ConcurrentDictionary<(string Collection, ObjectId Id), ObjectId?> _owners = new();

    /// <summary>Checks all references of some documents of a collection.</summary>
    /// <returns>How many there were, and a sentence for each that is broken.</returns>
    public async Task<(long Checked, IReadOnlyList<string> Broken)> CheckAsync(
        SeedCollection part, IReadOnlyList<RawBsonDocument> documents, CancellationToken cancellationToken)
    {
        var references = new List<(BsonDocument Document, SeedReference Reference, ObjectId Id)>();
        foreach (var document in documents)
        {
            foreach (var reference in part.References)
            {
                references.AddRange(SeedKeys.Read(document, reference).Select(id => ((BsonDocument)document, reference, id)));
            }
        }

        var known = new Dictionary<(string Collection, ObjectId Id), ObjectId?>();
        foreach (var target in references.GroupBy(reference => reference.Reference.Target))
        {
            await LookUpAsync(target.Key, [.. target.Select(reference => reference.Id).Distinct()], known, cancellationToken);
        }

        var broken = new List<string>();
        foreach (var (document, reference, id) in references)
        {
            var owner = known[(reference.Target, id)];
            if (owner is null)
            {
                broken.Add($"{part.Name} {document["_id"]}: {reference.Path} leads to {reference.Target} {id}, which does not exist");
            }
            else if (owner != document["tenantId"].AsObjectId)
            {
                broken.Add($"{part.Name} {document["_id"]}: {reference.Path} leads to {reference.Target} {id} of another tenant");
            }
        }

        return (references.Count, broken);
    }

    private async Task LookUpAsync(
        string target, IReadOnlyList<ObjectId> ids, Dictionary<(string Collection, ObjectId Id), ObjectId?> known, CancellationToken cancellationToken)
    {
        var unknown = new List<ObjectId>();
        foreach (var id in ids)
        {
            if (_owners.TryGetValue((target, id), out var owner))
            {
                known[(target, id)] = owner;
            }
            else
            {
                unknown.Add(id);
                known[(target, id)] = null;
            }
        }

        if (unknown.Count == 0)
        {
            return;
        }

        // A tenant is its own owner.
        var ownerField = target == CollectionNames.Tenants ? "_id" : "tenantId";
        using var cursor = await database.GetCollection<BsonDocument>(target)
            .Find(Builders<BsonDocument>.Filter.In("_id", unknown))
            .Project(new BsonDocument(ownerField, 1))
            .ToCursorAsync(cancellationToken);
        while (await cursor.MoveNextAsync(cancellationToken))
        {
            foreach (var document in cursor.Current)
            {
                known[(target, document["_id"].AsObjectId)] = document[ownerField].AsObjectId;
            }
        }

        if (_owners.Count > MostRemembered)
        {
            _owners.Clear();
        }

        foreach (var id in unknown)
        {
            _owners[(target, id)] = known[(target, id)];
        }
    }
}
