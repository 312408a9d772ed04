using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;

namespace Platform.Backup.InPlace;

/// <summary>
/// Brings one tenant, or one collection, back to what it was: from a copy of the database into the running one. First it says what would change; then it
/// changes that and nothing else, in batches, each in a transaction. A document that was written to since is left alone. What does not belong to the scope
/// is never touched: every command names it.
/// </summary>
/// <param name="live">The running database.</param>
/// <param name="copy">The same database in the copy.</param>
/// <param name="scope">What is brought back.</param>
internal sealed class InPlaceRestore(IMongoDatabase live, IMongoDatabase copy, RestoreScope scope)
{
    private const int BatchSize = 100;

    // Documents were what they were, whatever a validator says of them today.
    private static readonly InsertManyOptions s_asTheyWere = new() { IsOrdered = true, BypassDocumentValidation = true };
    private static readonly ReplaceOptions s_asItWas = new() { BypassDocumentValidation = true };

    /// <summary>The key of a tenant in a database; null when there is none of that name.</summary>
    public static async Task<ObjectId?> FindTenantAsync(IMongoDatabase database, string slug, CancellationToken cancellationToken) =>
        (await Collection(database, CollectionNames.Tenants).Find(new BsonDocument("slug", slug)).FirstOrDefaultAsync(cancellationToken))?["_id"].AsObjectId;

    /// <summary>Compares everything that belongs to the scope with what did.</summary>
    /// <param name="directory">Where the plan's file is.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="BackupException">It cannot be restored from this copy.</exception>
    public async Task<RestorePlan> PlanAsync(string directory, CancellationToken cancellationToken)
    {
        await NeedSameStructureAsync(cancellationToken);
        if (scope.Tenant is { } tenant
            && !await Collection(copy, CollectionNames.Tenants).Find(scope.Of(CollectionNames.Tenants)).AnyAsync(cancellationToken))
        {
            throw new BackupException(
                $"There was no tenant {tenant} at that moment: to bring it back to that would be to remove it, which is not a restore.", ExitCodes.Refused);
        }

        await new RestoreKeys(live, copy, scope).RequireAsync(cancellationToken);
        var plan = new RestorePlan(directory);
        try
        {
            foreach (var name in scope.Collections)
            {
                if (scope.Tenant is null)
                {
                    plan.Add(await StructureAsync(name, cancellationToken));
                }

                await CompareAsync(plan, name, cancellationToken);
            }

            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>Carries a plan out. Ended half-way, a new plan has the rest.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="cancellationToken">Ends it after the batch that is being written.</param>
    /// <param name="written">Called after each batch; null for nobody.</param>
    /// <returns>The documents that were left alone, because they were written to since the plan was made.</returns>
    /// <exception cref="BackupException">Something could not be written as it was. What was done until then stays.</exception>
    public async Task<long> ApplyAsync(RestorePlan plan, CancellationToken cancellationToken, Action? written = null)
    {
        var left = 0L;
        await StructureAsync(plan, CollectionStructure.ApplyAsync, cancellationToken);
        foreach (var step in Enum.GetValues<RestoreStep>())
        {
            if (step == RestoreStep.Insert)
            {
                // A collection that is made anew is still empty; from now on it holds to them.
                await StructureAsync(plan, CollectionStructure.IndexAsync, cancellationToken);
            }

            // Who takes a value from one that was left alone is left alone, too.
            var (collection, holders) = ("", new HashSet<BsonValue>());
            foreach (var batch in plan.Batches(step, BatchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (batch.Collection != collection)
                {
                    collection = batch.Collection;
                    holders = [];
                }

                var (count, keys) = await WriteAsync(step, batch, holders, cancellationToken);
                left += count;
                holders.UnionWith(keys);
                written?.Invoke();
            }
        }

        return left;
    }

    private async Task<StructureChange> StructureAsync(string name, CancellationToken cancellationToken)
    {
        var then = await CollectionStructure.ReadAsync(copy, name, cancellationToken)
            ?? throw new BackupException(
                $"There was no collection {name} at that moment: to bring it back to that would be to remove it, which is not a restore.", ExitCodes.Refused);
        return then.ChangeOf(name, await CollectionStructure.ReadAsync(live, name, cancellationToken));
    }

    private async Task StructureAsync(
        RestorePlan plan, Func<IMongoDatabase, StructureChange, CancellationToken, Task> apply, CancellationToken cancellationToken)
    {
        foreach (var change in plan.Structures)
        {
            try
            {
                await apply(live, change, cancellationToken);
            }
            catch (MongoCommandException e)
            {
                throw NotAsItWas(change.Collection, e);
            }
        }
    }

    private async Task CompareAsync(RestorePlan plan, string name, CancellationToken cancellationToken)
    {
        var (now, then) = (Collection(live, name), Collection(copy, name));
        var unique = new UniqueValues(await (await now.Indexes.ListAsync(cancellationToken)).ToListAsync(cancellationToken));
        await InBatchesAsync(then, async was =>
        {
            var found = await ByKeyAsync(now, null, name, was.Select(document => document["_id"]), cancellationToken);
            foreach (var document in was)
            {
                plan.Add(name, found.GetValueOrDefault(document["_id"]), document, unique);
            }
        });
        await InBatchesAsync(now, async current =>
        {
            var found = await ByKeyAsync(then, null, name, current.Select(document => document["_id"]), cancellationToken);
            foreach (var document in current.Where(document => !found.ContainsKey(document["_id"])))
            {
                plan.Add(name, document, null, unique);
            }
        });

        async Task InBatchesAsync(IMongoCollection<BsonDocument> collection, Func<List<BsonDocument>, Task> work)
        {
            using var cursor = await collection.Find(scope.Of(name), new FindOptions { BatchSize = BatchSize }).ToCursorAsync(cancellationToken);
            while (await cursor.MoveNextAsync(cancellationToken))
            {
                await work([.. cursor.Current]);
            }
        }
    }

    /// <summary>Writes a batch. Returns how many documents were left alone, and of those that others wait for the keys.</summary>
    private async Task<(long Left, IReadOnlyList<BsonValue> Holders)> WriteAsync(
        RestoreStep step, RestoreBatch batch, HashSet<BsonValue> holders, CancellationToken cancellationToken)
    {
        var (now, then) = (Collection(live, batch.Collection), Collection(copy, batch.Collection));
        var was = step == RestoreStep.Delete ? [] : await ByKeyAsync(then, null, batch.Collection, batch.Documents.Keys, cancellationToken);
        using var session = await live.Client.StartSessionAsync(cancellationToken: cancellationToken);
        try
        {
            return await session.WithTransactionAsync<(long, IReadOnlyList<BsonValue>)>(
                async (own, token) =>
                {
                    var found = await ByKeyAsync(now, own, batch.Collection, batch.Documents.Keys, token);
                    var same = batch.Documents.Where(entry => (found.GetValueOrDefault(entry.Key), entry.Value) switch
                    {
                        (null, null) => true,
                        ({ } document, { } hash) => RestorePlan.HashOf(document).AsSpan().SequenceEqual(hash),
                        _ => false,
                    }).Select(entry => entry.Key).ToHashSet();
                    switch (step)
                    {
                        case RestoreStep.Delete when same.Count > 0:
                            await now.DeleteManyAsync(own, scope.Of(batch.Collection, same), cancellationToken: token);
                            break;
                        case RestoreStep.Insert when same.Count > 0:
                            await now.InsertManyAsync(own, same.Select(key => was[key]), s_asTheyWere, token);
                            break;
                        case RestoreStep.Replace when batch.Groups.Count == 0:
                            foreach (var key in same)
                            {
                                await ReplaceAsync([key]);
                            }

                            break;
                        case RestoreStep.Replace:
                            var left = new List<BsonValue>();
                            foreach (var group in batch.Groups)
                            {
                                if (group.Documents.Keys.All(same.Contains) && !group.After.Any(key => holders.Contains(key) || left.Contains(key)))
                                {
                                    await ReplaceAsync([.. group.Documents.Keys]);
                                }
                                else
                                {
                                    left.AddRange(group.Documents.Keys);
                                }
                            }

                            return (left.Count, left);
                    }

                    return (batch.Documents.Count - same.Count, []);

                    async Task ReplaceAsync(IReadOnlyList<BsonValue> keys)
                    {
                        if (keys is [var one])
                        {
                            await now.ReplaceOneAsync(own, scope.Of(batch.Collection, keys), was[one], s_asItWas, token);
                            return;
                        }

                        // Each meets what another one still has: so they all go, and come back.
                        await now.DeleteManyAsync(own, scope.Of(batch.Collection, keys), cancellationToken: token);
                        await now.InsertManyAsync(own, keys.Select(key => was[key]), s_asTheyWere, token);
                    }
                },
                new TransactionOptions(ReadConcern.Snapshot, ReadPreference.Primary, WriteConcern.WMajority.With(journal: true)),
                cancellationToken);
        }
        catch (MongoException e) when (e is MongoWriteException or MongoBulkWriteException or MongoCommandException)
        {
            throw NotAsItWas(batch.Collection, e);
        }
    }

    private static BackupException NotAsItWas(string collection, MongoException reason) => new(
        $"{collection} could not be written as it was: {reason.Message.ReplaceLineEndings(" ")} What was done until then stays; make a new "
            + "report for the rest.",
        ExitCodes.Failure,
        reason);

    // Documents of before a migration do not belong into a database of after it.
    private async Task NeedSameStructureAsync(CancellationToken cancellationToken)
    {
        var (now, then) = (await AppliedAsync(live, cancellationToken), await AppliedAsync(copy, cancellationToken));
        if (!now.SetEquals(then))
        {
            now.SymmetricExceptWith(then);
            throw new BackupException(
                $"The database had other migrations at that moment ({string.Join(", ", now.Order(StringComparer.Ordinal))}), so its documents do not belong "
                    + "into the one of today; open the copy with 'backup restore --serve' and take from it what is needed.",
                ExitCodes.Refused);
        }
    }

    private static async Task<HashSet<string>> AppliedAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var applied = await Collection(database, CollectionNames.Migrations).Find(new BsonDocument("state", "applied"))
            .Project(new BsonDocument("_id", 1)).ToListAsync(cancellationToken);
        return [.. applied.Select(migration => migration["_id"].ToString()!)];
    }

    private async Task<Dictionary<BsonValue, BsonDocument>> ByKeyAsync(
        IMongoCollection<BsonDocument> collection, IClientSessionHandle? session, string name, IEnumerable<BsonValue> keys,
        CancellationToken cancellationToken)
    {
        var filter = scope.Of(name, keys);
        var found = session is null ? collection.Find(filter) : collection.Find(session, filter);
        return (await found.ToListAsync(cancellationToken)).ToDictionary(document => document["_id"]);
    }

    private static IMongoCollection<BsonDocument> Collection(IMongoDatabase database, string name) =>
        database.GetCollection<BsonDocument>(name, new MongoCollectionSettings { ReadPreference = ReadPreference.Primary, ReadConcern = ReadConcern.Majority });
}
