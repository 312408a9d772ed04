using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Jobs;
using Platform.Migrator.Indexes;
using Platform.Migrator.Validation;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Structure;

/// <summary>
/// Brings a database in line with the catalogue: collections, validators, indexes. Can be stopped anywhere and run again.
/// Never drops what the catalogue does not know.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="time">The clock for progress.</param>
/// <param name="logger">Where each change is logged.</param>
/// <param name="validation">How the rules on documents are enforced; null for fully.</param>
public sealed class CatalogueSynchroniser(
    IMongoDatabase database, TimeProvider time, ILogger<CatalogueSynchroniser> logger, ValidationOptions? validation = null)
{
    private readonly IndexBuilder _indexes = new(database, time);
    private readonly ValidationOptions _validation = validation ?? new();

    /// <summary>The same for the same database as another client sees it.</summary>
    /// <param name="other">The database.</param>
    public CatalogueSynchroniser On(IMongoDatabase other) => new(other, time, logger, _validation);

    /// <summary>Finds the differences; changes nothing.</summary>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>What has to be done, in order; empty when the database is in line.</returns>
    public async Task<IReadOnlyList<StructureChange>> PlanAsync(CancellationToken cancellationToken)
    {
        var existing = await ReadCollectionsAsync(cancellationToken);
        var changes = new List<StructureChange>();
        foreach (var definition in CollectionCatalogue.All)
        {
            if (!existing.TryGetValue(definition.Name, out var collection))
            {
                changes.Add(new StructureChange(StructureChangeKind.CreateCollection, definition.Name));
            }
            else if (!IsTimeSeries(collection)
                && ValidatorMigration.DifferenceFrom(definition, _validation.For(definition.Name), OptionsOf(collection)) is { } difference)
            {
                changes.Add(new StructureChange(StructureChangeKind.SetValidator, definition.Name, Detail: difference));
            }

            changes.AddRange(await CompareIndexesAsync(definition, collection, cancellationToken));
        }

        return changes;
    }

    /// <summary>Makes the changes of <see cref="PlanAsync"/>.</summary>
    /// <param name="allowDrop">Whether an index that differs may be dropped and created again.</param>
    /// <param name="cancellationToken">Stops after the change under way.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="JobRefusedException">An index differs and <paramref name="allowDrop"/> is false; nothing was changed.</exception>
    /// <exception cref="JobRefusedException">Documents break rules that were to hold strictly; changes before that one were made.</exception>
    public async Task<IReadOnlyList<StructureChange>> ApplyAsync(bool allowDrop, CancellationToken cancellationToken)
    {
        await MakeOutboxAsync(cancellationToken);
        var changes = await PlanAsync(cancellationToken);
        if (!allowDrop && changes.FirstOrDefault(change => change.Index is { NeedsPermission: true })?.Index is { } refused)
        {
            throw Refused(refused.Name, IndexBuilder.WhyLeft(refused));
        }

        if (changes.Count == 0)
        {
            StructureLog.InLine(logger, CollectionCatalogue.All.Count);
        }

        var done = new List<StructureChange>();
        var left = new Queue<StructureChange>(changes);
        while (left.TryDequeue(out var change))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Lease.RequireHeld();
            var started = time.GetTimestamp();
            foreach (var more in await ApplyAsync(change, allowDrop, cancellationToken))
            {
                left.Enqueue(more);
            }

            done.Add(change);
            StructureLog.Done(logger, done.Count, done.Count + left.Count, change.ToString(), time.GetElapsedTime(started).TotalMilliseconds);
        }

        return done;
    }

    // It has nothing that could differ, so it is in no plan. Transactions write to it, and several that would have to make it first
    // get into each other's way.
    private async Task MakeOutboxAsync(CancellationToken cancellationToken)
    {
        if (!(await ReadCollectionsAsync(cancellationToken)).ContainsKey(CollectionNames.Outbox))
        {
            Lease.RequireHeld();
            await RunAsync(new BsonDocument("create", CollectionNames.Outbox), cancellationToken);
        }
    }

    // Returns what has to be done in addition, as it turned out.
    private async Task<IReadOnlyList<StructureChange>> ApplyAsync(StructureChange change, bool allowDrop, CancellationToken cancellationToken)
    {
        var definition = CollectionCatalogue.All.First(definition => definition.Name == change.Collection);
        switch (change.Kind)
        {
            case StructureChangeKind.CreateCollection:
                return await CreateAsync(definition, cancellationToken);
            case StructureChangeKind.SetValidator:
                await new ValidatorMigration(database, logger).ApplyAsync(definition, _validation.For(definition.Name), cancellationToken);
                return [];
            default:
                var outcome = await _indexes.ApplyAsync(change.Index!, new IndexRemoval(allowDrop, TimeSpan.Zero, AtOnce: false), cancellationToken);
                return outcome.Outcome == IndexOutcomeKind.Left ? throw Refused(change.Index!.Name, outcome.Reason) : [];
        }
    }

    private static JobRefusedException Refused(string index, string reason) => new($"The index {index} cannot be made as declared: {reason}.");

    private async Task<IReadOnlyList<StructureChange>> CreateAsync(CollectionDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.TimeSeries is not { } series)
        {
            await RunAsync(ValidatorMigration.Create(definition, _validation.For(definition.Name)), cancellationToken);
            return [];
        }

        try
        {
            // A time series takes no validator.
            var create = new BsonDocument("create", definition.Name);
            create.AddRange(series.Options());
            await RunAsync(create, cancellationToken);
            return [];
        }
        catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception))
        {
            StructureLog.NoTimeSeries(logger, definition.Name, exception.Message);
            await RunAsync(ValidatorMigration.Create(definition, _validation.For(definition.Name)), cancellationToken);
            var expiry = definition.IndexesFor(isTimeSeries: false).First(index => index.Name == TimeSeriesDefinition.ExpiryIndex);
            return [Of(new IndexChange(IndexChangeKind.Missing, definition.Name, expiry.Name, [], expiry, null))];
        }
    }

    private Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    private async Task<Dictionary<string, BsonDocument>> ReadCollectionsAsync(CancellationToken cancellationToken)
    {
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var collections = await cursor.ToListAsync(cancellationToken);
        return collections.ToDictionary(collection => collection["name"].AsString);
    }

    private static bool IsTimeSeries(BsonDocument collection) => collection.GetValue("type", "collection") == "timeseries";

    private static BsonDocument OptionsOf(BsonDocument collection) => collection.GetValue("options", new BsonDocument()).AsBsonDocument;

    // What the catalogue does not know is left alone here; "migrator indexes" looks after it.
    private async Task<IEnumerable<StructureChange>> CompareIndexesAsync(
        CollectionDefinition definition, BsonDocument? collection, CancellationToken cancellationToken)
    {
        CollectionState? state = null;
        if (collection is not null)
        {
            using var cursor = await database.GetCollection<BsonDocument>(definition.Name).Indexes.ListAsync(cancellationToken);
            state = new CollectionState
            {
                Name = definition.Name, IsTimeSeries = IsTimeSeries(collection), Indexes = await cursor.ToListAsync(cancellationToken),
            };
        }

        return IndexPlanner.Compare(definition, state)
            .Where(change => change.Kind != IndexChangeKind.Unknown)
            .Select(Of);
    }

    private static StructureChange Of(IndexChange change)
    {
        var (kind, detail) = change.Kind switch
        {
            IndexChangeKind.Missing => (StructureChangeKind.CreateIndex, null),
            IndexChangeKind.Adjusted => (StructureChangeKind.AdjustIndex, change.Difference),
            IndexChangeKind.Renamed => (StructureChangeKind.RenameIndex, change.ExistingName),
            IndexChangeKind.Interim => (StructureChangeKind.DropInterimIndex, null),
            _ => (StructureChangeKind.ReplaceIndex, change.Difference),
        };
        return new StructureChange(kind, change.Collection, change.Index, detail, change);
    }
}
