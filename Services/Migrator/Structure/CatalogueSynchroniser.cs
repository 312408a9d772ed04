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
    public Task<IReadOnlyList<StructureChange>> PlanAsync(CancellationToken cancellationToken) => PlanAsync(CollectionCatalogue.All, cancellationToken);

    /// <summary>
    /// The differences of one collection. Indexes that the catalogue does not know are left alone here; <c>migrator indexes</c> looks after them.
    /// </summary>
    /// <param name="definition">What is declared.</param>
    /// <param name="database">What is there.</param>
    /// <param name="enforcement">How the rules on its documents shall be enforced.</param>
    internal static IReadOnlyList<StructureChange> Compare(CollectionDefinition definition, DatabaseState database, CollectionValidation enforcement)
    {
        var state = database.Collections.GetValueOrDefault(definition.Name);
        var indexes = IndexPlanner.Compare(definition, state, database.Server).Where(change => change.Kind != IndexChangeKind.Unknown).Select(Of);
        if (state is null)
        {
            return [new StructureChange(StructureChangeKind.CreateCollection, definition.Name), .. indexes];
        }

        var options = OptionPlanner.Compare(definition, state);
        if (options.Any(change => change is { Kind: StructureChangeKind.Impossible, Name: "type" }))
        {
            return options;
        }

        var listed = state.Listed.GetValue("options", new BsonDocument()).AsBsonDocument;
        var rules = state.IsTimeSeries || state.IsView ? null : ValidatorMigration.DifferenceFrom(definition, enforcement, listed);
        return
        [
            .. options,
            .. rules is null ? [] : new[] { new StructureChange(StructureChangeKind.SetValidator, definition.Name, Detail: rules) },
            .. indexes,
        ];
    }

    /// <summary>Makes the changes of <see cref="PlanAsync(CancellationToken)"/>.</summary>
    /// <param name="allowDrop">Whether an index that differs may be dropped and created again.</param>
    /// <param name="cancellationToken">Stops after the change under way.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="JobRefusedException">
    /// A collection differs in what cannot be changed, or an index differs and <paramref name="allowDrop"/> is false; nothing was changed.
    /// </exception>
    /// <exception cref="JobRefusedException">Documents break rules that were to hold strictly; changes before that one were made.</exception>
    public async Task<IReadOnlyList<StructureChange>> ApplyAsync(bool allowDrop, CancellationToken cancellationToken)
    {
        var changes = Possible(await PlanAsync(cancellationToken), _ => allowDrop);
        if (changes.Count == 0)
        {
            StructureLog.InLine(logger, CollectionCatalogue.All.Count);
        }

        return await MakeAsync(CollectionCatalogue.All, changes, _ => allowDrop, isOpening: false, cancellationToken);
    }

    /// <summary>
    /// The first half of a move, before a migration changes data: collections, options, and rules for what is written from now on, which do not hold yet
    /// for what is there.
    /// </summary>
    /// <param name="move">From which version to which.</param>
    /// <param name="begin">Called before the first change.</param>
    /// <param name="cancellationToken">Stops after the change under way.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="JobRefusedException">A collection differs in what cannot be changed; nothing was changed.</exception>
    public async Task<IReadOnlyList<StructureChange>> OpenAsync(StructureMove move, Action begin, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(move);
        ArgumentNullException.ThrowIfNull(begin);
        var changes = Possible(await PlanAsync(move.To, cancellationToken), _ => true);
        var created = changes.Where(change => change.Kind == StructureChangeKind.CreateCollection).Select(change => change.Collection).ToHashSet();
        // An index of what is there comes when its documents are as the version wants them.
        IReadOnlyList<StructureChange> first = [.. changes.Where(change => change.Index is null || created.Contains(change.Collection))];
        if (first.Count > 0)
        {
            begin();
        }

        return await MakeAsync(move.To, first, _ => false, isOpening: true, cancellationToken);
    }

    /// <summary>
    /// The second half of a move, when the migration has changed the data: indexes, and rules for all documents. Takes away what only the other version
    /// declares; what neither does is somebody else's.
    /// </summary>
    /// <param name="move">From which version to which.</param>
    /// <param name="allowDrop">Whether an index that differs may be dropped and created again.</param>
    /// <param name="allowLoss">Whether a collection that only the other version has may be dropped with its documents.</param>
    /// <param name="told">Changes that were made, or withheld in a dry run, in the first half: they are not made again.</param>
    /// <param name="cancellationToken">Stops after the change under way.</param>
    /// <exception cref="JobRefusedException">An index differs, documents break the rules, or a collection that is to go is not empty.</exception>
    public async Task CloseAsync(
        StructureMove move, bool allowDrop, bool allowLoss, IReadOnlyList<StructureChange> told, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(move);
        var known = told.Where(change => change.Kind != StructureChangeKind.SetValidator).Select(change => change.ToString()).ToHashSet(StringComparer.Ordinal);
        // What the version that is left declares is the migration's own to change; anything else is somebody else's.
        bool MayDrop(StructureChange change) => allowDrop || move.Declared(change.Index);
        var changes = Possible(await PlanAsync(move.To, cancellationToken), MayDrop);
        await MakeAsync(move.To, [.. changes.Where(change => !known.Contains(change.ToString()))], MayDrop, isOpening: false, cancellationToken);
        if (move.Removes)
        {
            await RemoveAsync(move, allowLoss, cancellationToken);
        }
    }

    /// <summary>Refuses a move that would lose data: documents of a collection that the other version does not have, or that it lets expire earlier.</summary>
    /// <param name="move">From which version to which.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <exception cref="JobRefusedException">It would; nothing was changed.</exception>
    public async Task RefuseLossAsync(StructureMove move, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(move);
        foreach (var (definition, wanted) in move.Pairs().Where(pair => !pair.From.IsBookkeeping && pair.From.View is null))
        {
            if (wanted is null && await HasAnyAsync(definition.Name, FilterDefinition<BsonDocument>.Empty, cancellationToken))
            {
                throw new JobRefusedException(WhyKept(definition.Name));
            }

            if (wanted?.TimeSeries is { } series && series.ExpireAfter < definition.TimeSeries?.ExpireAfter
                && await HasAnyAsync(
                    definition.Name, new BsonDocument(series.TimeField, new BsonDocument("$lt", time.GetUtcNow().UtcDateTime - series.ExpireAfter)),
                    cancellationToken))
            {
                throw new JobRefusedException(
                    $"The collection {definition.Name} has documents older than the {series.ExpireAfter.TotalDays} days that the version before keeps them "
                        + "for; give --allow-data-loss to let them expire.");
            }
        }
    }

    private async Task<IReadOnlyList<StructureChange>> PlanAsync(IReadOnlyList<CollectionDefinition> target, CancellationToken cancellationToken)
    {
        var state = await ReadAsync(cancellationToken);
        return [.. target.SelectMany(definition => Compare(definition, state, Enforcement(definition)))];
    }

    private static IReadOnlyList<StructureChange> Possible(IReadOnlyList<StructureChange> changes, Func<StructureChange, bool> mayDrop)
    {
        if (changes.FirstOrDefault(change => change.Kind == StructureChangeKind.Impossible) is { } impossible)
        {
            throw new JobRefusedException($"The collection {impossible}.");
        }

        return changes.FirstOrDefault(change => change.Index is { NeedsPermission: true } && !mayDrop(change))?.Index is { } refused
            ? throw Refused(refused.Name, IndexBuilder.WhyLeft(refused))
            : changes;
    }

    private async Task<IReadOnlyList<StructureChange>> MakeAsync(
        IReadOnlyList<CollectionDefinition> target, IReadOnlyList<StructureChange> changes, Func<StructureChange, bool> mayDrop, bool isOpening,
        CancellationToken cancellationToken)
    {
        var definitions = target.ToDictionary(definition => definition.Name, StringComparer.Ordinal);
        var done = new List<StructureChange>();
        var left = new Queue<StructureChange>(changes);
        while (left.TryDequeue(out var change))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Lease.RequireHeld();
            var started = time.GetTimestamp();
            foreach (var more in await MakeAsync(definitions[change.Collection], change, mayDrop(change), isOpening, cancellationToken))
            {
                left.Enqueue(more);
            }

            done.Add(change);
            StructureLog.Done(logger, done.Count, done.Count + left.Count, change.ToString(), time.GetElapsedTime(started).TotalMilliseconds);
        }

        return done;
    }

    // Returns what has to be done in addition, as it turned out.
    private async Task<IReadOnlyList<StructureChange>> MakeAsync(
        CollectionDefinition definition, StructureChange change, bool allowDrop, bool isOpening, CancellationToken cancellationToken)
    {
        switch (change.Kind)
        {
            case StructureChangeKind.CreateCollection:
                return await CreateAsync(definition, cancellationToken);
            case StructureChangeKind.SetValidator when isOpening:
                await new ValidatorMigration(database, logger).AnnounceAsync(definition, Enforcement(definition), cancellationToken);
                return [];
            case StructureChangeKind.SetValidator:
                await new ValidatorMigration(database, logger).ApplyAsync(definition, Enforcement(definition), cancellationToken);
                return [];
            case StructureChangeKind.SetOption:
                foreach (var command in change.Commands)
                {
                    await RunAsync(command, cancellationToken);
                }

                return [];
            default:
                var outcome = await _indexes.ApplyAsync(change.Index!, new IndexRemoval(allowDrop, TimeSpan.Zero, AtOnce: false), cancellationToken);
                return outcome.Outcome == IndexOutcomeKind.Left ? throw Refused(change.Index!.Name, outcome.Reason) : [];
        }
    }

    private async Task RemoveAsync(StructureMove move, bool allowLoss, CancellationToken cancellationToken)
    {
        var state = await ReadAsync(cancellationToken);
        foreach (var (definition, wanted) in move.Pairs())
        {
            if (state.Collections.GetValueOrDefault(definition.Name) is not { } there)
            {
                continue;
            }

            if (wanted is null && !definition.IsBookkeeping)
            {
                await DropAsync(there, allowLoss, cancellationToken);
                continue;
            }

            foreach (var index in StructureMove.Outdated(definition, wanted, there))
            {
                Lease.RequireHeld();
                var change = new IndexChange(IndexChangeKind.Unknown, definition.Name, index["name"].AsString, [], null, index);
                var outcome = await _indexes.ApplyAsync(change, new IndexRemoval(Allowed: true, TimeSpan.Zero, AtOnce: true), cancellationToken);
                StructureLog.Removed(logger, $"index {change.Name}", outcome.Milliseconds);
            }
        }
    }

    private async Task DropAsync(CollectionState there, bool allowLoss, CancellationToken cancellationToken)
    {
        if (!there.IsView && !allowLoss && await HasAnyAsync(there.Name, FilterDefinition<BsonDocument>.Empty, cancellationToken))
        {
            throw new JobRefusedException(WhyKept(there.Name));
        }

        Lease.RequireHeld();
        var started = time.GetTimestamp();
        await database.DropCollectionAsync(there.Name, cancellationToken);
        StructureLog.Removed(logger, $"collection {there.Name}", time.GetElapsedTime(started).TotalMilliseconds);
    }

    private static string WhyKept(string collection) =>
        $"The collection {collection} is not empty, so it is not dropped, although the version that is gone to has none: move its documents, or "
            + "give --allow-data-loss on the way down to drop them, too.";

    private async Task<bool> HasAnyAsync(string collection, FilterDefinition<BsonDocument> filter, CancellationToken cancellationToken) =>
        await database.GetCollection<BsonDocument>(collection).Find(filter).Limit(1).AnyAsync(cancellationToken);

    private static JobRefusedException Refused(string index, string reason) => new($"The index {index} cannot be made as declared: {reason}.");

    private async Task<IReadOnlyList<StructureChange>> CreateAsync(CollectionDefinition definition, CancellationToken cancellationToken)
    {
        try
        {
            // A time series takes no validator.
            await RunAsync(
                definition.TimeSeries is null
                    ? ValidatorMigration.Create(definition, Enforcement(definition))
                    : new BsonDocument("create", definition.Name).Merge(definition.Options()),
                cancellationToken);
            return [];
        }
        catch (MongoCommandException exception) when (definition.TimeSeries is not null && ServerLimits.IsUnsupported(exception))
        {
            StructureLog.NoTimeSeries(logger, definition.Name, exception.Message);
            await RunAsync(ValidatorMigration.Create(definition, Enforcement(definition), asPlain: true), cancellationToken);
            var expiry = definition.IndexesFor(ServerKind.MongoDb, isTimeSeries: false).First(index => index.Name == TimeSeriesDefinition.ExpiryIndex);
            return [Of(new IndexChange(IndexChangeKind.Missing, definition.Name, expiry.Name, [], expiry, null))];
        }
        catch (MongoCommandException exception) when (ServerLimits.IsThere(exception))
        {
            // A program has written to it meanwhile. Its indexes are in the plan already.
            return [.. Compare(definition, await ReadAsync(cancellationToken), Enforcement(definition)).Where(change => change.Index is null)];
        }
    }

    private Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    private Task<DatabaseState> ReadAsync(CancellationToken cancellationToken) =>
        new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, cancellationToken);

    // How its rules are enforced. What has none is as servers make it.
    private CollectionValidation Enforcement(CollectionDefinition definition) =>
        definition.Validator.ElementCount == 0 ? CollectionValidation.Full : _validation.For(definition.Name);

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
