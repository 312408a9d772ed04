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
        var state = await ReadAsync(cancellationToken);
        return [.. CollectionCatalogue.All.SelectMany(definition => Compare(definition, state, Enforcement(definition)))];
    }

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

    /// <summary>Makes the changes of <see cref="PlanAsync"/>.</summary>
    /// <param name="allowDrop">Whether an index that differs may be dropped and created again.</param>
    /// <param name="cancellationToken">Stops after the change under way.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="JobRefusedException">
    /// A collection differs in what cannot be changed, or an index differs and <paramref name="allowDrop"/> is false; nothing was changed.
    /// </exception>
    /// <exception cref="JobRefusedException">Documents break rules that were to hold strictly; changes before that one were made.</exception>
    public async Task<IReadOnlyList<StructureChange>> ApplyAsync(bool allowDrop, CancellationToken cancellationToken)
    {
        var changes = await PlanAsync(cancellationToken);
        if (changes.FirstOrDefault(change => change.Kind == StructureChangeKind.Impossible) is { } impossible)
        {
            throw new JobRefusedException($"The collection {impossible}.");
        }

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

    // Returns what has to be done in addition, as it turned out.
    private async Task<IReadOnlyList<StructureChange>> ApplyAsync(StructureChange change, bool allowDrop, CancellationToken cancellationToken)
    {
        var definition = CollectionCatalogue.All.First(definition => definition.Name == change.Collection);
        switch (change.Kind)
        {
            case StructureChangeKind.CreateCollection:
                return await CreateAsync(definition, cancellationToken);
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
