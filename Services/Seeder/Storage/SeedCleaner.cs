using System.Runtime.CompilerServices;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Jobs.Progress;
using Platform.Mongo.Leases;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Storage;

/// <summary>Removes seeded documents, and no others: by ranges of keys, a bounded number with each command.</summary>
/// <param name="database">The database.</param>
/// <param name="workers">How many commands are under way at once.</param>
/// <param name="permit">Refuses when nothing may be removed any more; asked before each command.</param>
internal sealed class SeedCleaner(IMongoDatabase database, int workers, Func<CancellationToken, Task> permit)
{
    private const int PieceSize = 5000;

    /// <summary>Removes the seeded documents of some collections.</summary>
    /// <param name="parts">The collections, referenced ones first; of any size, since the database tells how much is there.</param>
    /// <param name="tenant">Whose documents; null for everybody's.</param>
    /// <param name="keepReferenced">Whether to leave what documents that were not seeded refer to, and what that refers to.</param>
    /// <param name="progress">Told about every piece.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<CleanReport> CleanAsync(
        IReadOnlyList<SeedCollection> parts, ObjectId? tenant, bool keepReferenced, IJobProgress progress, CancellationToken cancellationToken)
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
        return new CleanReport(removed, kept.Values.Sum(ids => ids.Count), referring);
    }

    private async Task<long> RemoveAsync(
        SeedCollection part, ObjectId? tenant, SortedSet<ObjectId> kept, IJobProgress progress, CancellationToken cancellationToken)
    {
        var collection = Collection(part);
        var expected = await collection.CountDocumentsAsync(SeedKeys.All(part.Kind) & Of(part, tenant), cancellationToken: cancellationToken);
        long removed = 0;
        await Parallel.ForEachAsync(
            PiecesAsync(part, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken },
            async (piece, token) =>
            {
                var filter = Of(part, tenant) & SeedKeys.Between(piece.First, piece.Last);
                if (kept.Count > 0)
                {
                    List<ObjectId> here;
                    lock (kept)
                    {
                        here = [.. kept.GetViewBetween(piece.First, piece.Last)];
                    }

                    if (here.Count > 0)
                    {
                        filter &= Builders<BsonDocument>.Filter.Nin("_id", here);
                    }
                }

                await permit(token);
                Lease.RequireHeld();
                progress.Report(part.Name, Interlocked.Add(ref removed, (await collection.DeleteManyAsync(filter, token)).DeletedCount), expected);
            });
        progress.Finish(part.Name, removed);
        return removed;
    }

    // Ranges of keys that hold so many documents, whatever size they were seeded with.
    private async IAsyncEnumerable<(ObjectId First, ObjectId Last)> PiecesAsync(
        SeedCollection part, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (first, end) = SeedId.Range(part.Kind);
        while (true)
        {
            var last = await Collection(part).Find(SeedKeys.Between(first, end)).Sort(new BsonDocument("_id", 1)).Skip(PieceSize - 1).Limit(2)
                .Project(new BsonDocument("_id", 1)).ToListAsync(cancellationToken);
            yield return (first, last.Count == 2 ? last[0]["_id"].AsObjectId : end);
            if (last.Count < 2)
            {
                yield break;
            }

            first = last[1]["_id"].AsObjectId;
        }
    }

    // Who refers to what will be removed? Reads only documents that were not seeded, and of the seeded ones those that stay.
    private async Task<(Dictionary<string, long> Referring, Dictionary<string, SortedSet<ObjectId>> Kept)> FindReferredAsync(
        IReadOnlyList<SeedCollection> parts, ObjectId? tenant, bool keep, CancellationToken cancellationToken)
    {
        var referred = new Referred(parts);
        var referring = new Dictionary<string, long>();
        foreach (var part in parts)
        {
            long count = 0;
            using var cursor = await Collection(part)
                .Find(SeedKeys.Others(part.Kind) & Of(part, tenant))
                .Project(Projection(part))
                .ToCursorAsync(cancellationToken);
            while (await cursor.MoveNextAsync(cancellationToken))
            {
                count += cursor.Current.Count(document => referred.Note(part, document));
            }

            if (count > 0)
            {
                referring[part.Name] = count;
            }
        }

        if (!keep)
        {
            return (referring, new Referred(parts).Ids);
        }

        foreach (var part in parts.Reverse())
        {
            await FollowAsync(part, referred, cancellationToken);
        }

        return (referring, referred.Ids);
    }

    // What stays keeps what it refers to. A category refers to one of its own collection, hence again until nothing is new.
    private async Task FollowAsync(SeedCollection part, Referred referred, CancellationToken cancellationToken)
    {
        HashSet<ObjectId> done = [];
        while (referred.Ids[part.Name].Except(done).ToList() is { Count: > 0 } fresh)
        {
            foreach (var chunk in fresh.Chunk(1000))
            {
                foreach (var document in await Collection(part)
                    .Find(Builders<BsonDocument>.Filter.In("_id", chunk))
                    .Project(Projection(part))
                    .ToListAsync(cancellationToken))
                {
                    referred.Note(part, document);
                }
            }

            done.UnionWith(fresh);
        }
    }

    private static BsonDocument Projection(SeedCollection part) =>
        new(part.References.Select(reference => new BsonElement(reference.Path, 1)));

    private static FilterDefinition<BsonDocument> Of(SeedCollection part, ObjectId? tenant) =>
        tenant is null ? FilterDefinition<BsonDocument>.Empty
        : Builders<BsonDocument>.Filter.Eq(part.Kind == SeedKind.Tenant ? "_id" : "tenantId", tenant.Value);

    private IMongoCollection<BsonDocument> Collection(SeedCollection part) => database.GetCollection<BsonDocument>(part.Name);

    // The seeded documents that others refer to, by collection.
    private sealed class Referred(IReadOnlyList<SeedCollection> parts)
    {
        private readonly Dictionary<string, SeedCollection> _byName = parts.ToDictionary(part => part.Name);

        public Dictionary<string, SortedSet<ObjectId>> Ids { get; } = parts.ToDictionary(part => part.Name, _ => new SortedSet<ObjectId>());

        // Returns whether the document refers to any.
        public bool Note(SeedCollection part, BsonDocument document)
        {
            var refers = false;
            foreach (var reference in part.References)
            {
                if (!_byName.TryGetValue(reference.Target, out var target))
                {
                    continue;
                }

                foreach (var id in SeedKeys.Read(document, reference).Where(id => SeedId.TryRead(id, target.Kind, out _, out _)))
                {
                    refers = true;
                    Ids[target.Name].Add(id);
                }
            }

            return refers;
        }
    }
}

/// <summary>What a clean-up did.</summary>
/// <param name="Removed">Seeded documents that were removed.</param>
/// <param name="Kept">Seeded documents that were left because others refer to them.</param>
/// <param name="Referring">Documents per collection that were not seeded and refer to seeded ones.</param>
internal sealed record CleanReport(long Removed, long Kept, IReadOnlyDictionary<string, long> Referring);
