using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Leases;
using Platform.Seeder.Generation;
using Platform.Seeder.Progress;

namespace Platform.Seeder;

/// <summary>Removes seeded documents, and no others: by ranges of keys, a bounded number with each command.</summary>
internal sealed class SeedCleaner(IMongoDatabase database, int workers)
{
    private const int PieceSize = 5000;

    /// <summary>Removes the seeded documents of some collections.</summary>
    /// <param name="parts">The collections, referenced ones first; of any size, since the database tells how much is there.</param>
    /// <param name="tenant">Whose documents; null for everybody's.</param>
    /// <param name="keepReferenced">Whether to leave what documents that were not seeded refer to, and what that refers to.</param>
    /// <param name="progress">Told about every piece.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<CleanReport> CleanAsync(
        IReadOnlyList<SeedCollection> parts, ObjectId? tenant, bool keepReferenced, ISeedProgress progress, CancellationToken cancellationToken)
    {
        var (referring, kept) = await FindReferredAsync(parts, tenant, keepReferenced, cancellationToken);
        long removed = 0;
        await progress.RunAsync(async () =>
        {
            // Referring collections first, so that a reader meets no order without its customer.
            foreach (var part in parts.Reverse())
            {
                removed += await RemoveAsync(part, tenant, kept[part.Name], progress, cancellationToken);
            }
        });
        return new CleanReport(removed, kept.Values.Sum(numbers => numbers.Count), referring);
    }

    private async Task<long> RemoveAsync(SeedCollection part, ObjectId? tenant, SortedSet<long> kept, ISeedProgress progress, CancellationToken cancellationToken)
    {
        var collection = Collection(part);
        var end = await SeedKeys.EndAsync(collection, part.Kind, cancellationToken);
        var pieces = part.Pieces(0, end, PieceSize).ToList();
        long removed = 0, seen = 0;
        await Parallel.ForEachAsync(
            pieces,
            new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken },
            async (piece, token) =>
            {
                var filter = Of(part, tenant) & SeedKeys.Row(part.Kind, piece.From, piece.To);
                if (kept.Count > 0)
                {
                    SortedSet<long> here;
                    lock (kept)
                    {
                        here = [.. kept.GetViewBetween(piece.From, piece.To - 1)];
                    }

                    if (here.Count > 0)
                    {
                        filter &= Builders<BsonDocument>.Filter.Nin("_id", here.Select(number => SeedId.Create(part.Kind, number)));
                    }
                }

                Lease.RequireHeld();
                Interlocked.Add(ref removed, (await collection.DeleteManyAsync(filter, token)).DeletedCount);
                progress.Report(part.Name, Interlocked.Add(ref seen, piece.To - piece.From), end, finished: false);
            });
        progress.Report(part.Name, removed, removed, finished: true);
        return removed;
    }

    // Who refers to what will be removed? Reads only documents that were not seeded, and of the seeded ones those that stay.
    private async Task<(Dictionary<string, long> Referring, Dictionary<string, SortedSet<long>> Kept)> FindReferredAsync(
        IReadOnlyList<SeedCollection> parts, ObjectId? tenant, bool keep, CancellationToken cancellationToken)
    {
        var byName = parts.ToDictionary(part => part.Name);
        var kept = parts.ToDictionary(part => part.Name, _ => new SortedSet<long>());
        var referring = new Dictionary<string, long>();
        foreach (var part in parts)
        {
            long count = 0;
            using var cursor = await Collection(part).Find(SeedKeys.Others(part.Kind) & Of(part, tenant)).Project(Projection(part)).ToCursorAsync(cancellationToken);
            while (await cursor.MoveNextAsync(cancellationToken))
            {
                count += cursor.Current.Count(document => Note(part, document));
            }

            if (count > 0)
            {
                referring[part.Name] = count;
            }
        }

        if (!keep)
        {
            return (referring, parts.ToDictionary(part => part.Name, _ => new SortedSet<long>()));
        }

        foreach (var part in parts.Reverse())
        {
            // A category refers to one of its own collection, hence again until nothing is new.
            HashSet<long> done = [];
            while (kept[part.Name].Except(done).ToList() is { Count: > 0 } fresh)
            {
                foreach (var chunk in fresh.Chunk(1000))
                {
                    var ids = Builders<BsonDocument>.Filter.In("_id", chunk.Select(number => SeedId.Create(part.Kind, number)));
                    foreach (var document in await Collection(part).Find(ids).Project(Projection(part)).ToListAsync(cancellationToken))
                    {
                        Note(part, document);
                    }
                }

                done.UnionWith(fresh);
            }
        }

        return (referring, kept);

        bool Note(SeedCollection part, BsonDocument document)
        {
            var refers = false;
            foreach (var reference in part.References)
            {
                if (!byName.TryGetValue(reference.Target, out var target))
                {
                    continue;
                }

                foreach (var id in SeedKeys.Read(document, reference))
                {
                    if (SeedId.TryRead(id, target.Kind, out var number))
                    {
                        refers = true;
                        kept[target.Name].Add(number);
                    }
                }
            }

            return refers;
        }
    }

    private static BsonDocument Projection(SeedCollection part) =>
        new(part.References.Select(reference => new BsonElement(reference.Path, 1)));

    private static FilterDefinition<BsonDocument> Of(SeedCollection part, ObjectId? tenant) =>
        tenant is null ? FilterDefinition<BsonDocument>.Empty
        : Builders<BsonDocument>.Filter.Eq(part.Kind == SeedKind.Tenant ? "_id" : "tenantId", tenant.Value);

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.GetCollection<BsonDocument>(part.Name);
}
