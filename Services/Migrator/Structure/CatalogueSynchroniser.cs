using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Migrator.Engine;
using Platform.Migrator.Validation;

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
            if (!existing.TryGetValue(definition.Name, out var options))
            {
                changes.Add(new StructureChange(StructureChangeKind.CreateCollection, definition.Name));
                changes.AddRange(definition.Indexes.Select(index => new StructureChange(StructureChangeKind.CreateIndex, definition.Name, index.Name)));
                continue;
            }

            if (ValidatorMigration.DifferenceFrom(definition, _validation.For(definition.Name), options) is { } difference)
            {
                changes.Add(new StructureChange(StructureChangeKind.SetValidator, definition.Name, Detail: difference));
            }

            changes.AddRange(await CompareIndexesAsync(definition, cancellationToken));
        }

        return changes;
    }

    /// <summary>Makes the changes of <see cref="PlanAsync"/>.</summary>
    /// <param name="allowDrop">Whether an index that differs may be dropped and created again.</param>
    /// <param name="cancellationToken">Stops after the change under way.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="MigrationRefusedException">An index differs and <paramref name="allowDrop"/> is false; nothing was changed.</exception>
    /// <exception cref="MigrationRefusedException">Documents break rules that were to hold strictly; changes before that one were made.</exception>
    public async Task<IReadOnlyList<StructureChange>> ApplyAsync(bool allowDrop, CancellationToken cancellationToken)
    {
        var changes = await PlanAsync(cancellationToken);
        var replaced = changes.FirstOrDefault(change => change.Kind == StructureChangeKind.ReplaceIndex);
        if (replaced is not null && !allowDrop)
        {
            throw new MigrationRefusedException(
                $"The index {replaced.Collection}.{replaced.Name} differs from the catalogue in its {replaced.Detail}; run 'migrator up --allow-drop' to drop and create it again.");
        }

        if (changes.Count == 0)
        {
            StructureLog.InLine(logger, CollectionCatalogue.All.Count);
        }

        for (var i = 0; i < changes.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var started = time.GetTimestamp();
            await ApplyAsync(changes[i], cancellationToken);
            StructureLog.Done(logger, i + 1, changes.Count, changes[i].ToString(), time.GetElapsedTime(started).TotalMilliseconds);
        }

        return changes;
    }

    private async Task ApplyAsync(StructureChange change, CancellationToken cancellationToken)
    {
        var definition = CollectionCatalogue.All.First(definition => definition.Name == change.Collection);
        switch (change.Kind)
        {
            case StructureChangeKind.CreateCollection:
                await RunAsync(ValidatorMigration.Create(definition, _validation.For(definition.Name)), cancellationToken);
                break;
            case StructureChangeKind.SetValidator:
                await new ValidatorMigration(database, logger).ApplyAsync(definition, _validation.For(definition.Name), cancellationToken);
                break;
            case StructureChangeKind.ReplaceIndex:
                await database.GetCollection<BsonDocument>(change.Collection).Indexes.DropOneAsync(change.Name, cancellationToken);
                goto case StructureChangeKind.CreateIndex;
            case StructureChangeKind.CreateIndex:
                var index = definition.Indexes.First(index => index.Name == change.Name);
                await RunAsync(
                    new BsonDocument { { "createIndexes", change.Collection }, { "indexes", new BsonArray { index.Specification() } } },
                    cancellationToken);
                break;
            default:
                throw new InvalidOperationException($"{change.Kind} is not a change.");
        }
    }

    private Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    private async Task<Dictionary<string, BsonDocument>> ReadCollectionsAsync(CancellationToken cancellationToken)
    {
        using var cursor = await database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var collections = await cursor.ToListAsync(cancellationToken);
        return collections.ToDictionary(
            collection => collection["name"].AsString,
            collection => collection.GetValue("options", new BsonDocument()).AsBsonDocument);
    }

    private async Task<List<StructureChange>> CompareIndexesAsync(CollectionDefinition definition, CancellationToken cancellationToken)
    {
        using var cursor = await database.GetCollection<BsonDocument>(definition.Name).Indexes.ListAsync(cancellationToken);
        var existing = (await cursor.ToListAsync(cancellationToken)).ToDictionary(index => index["name"].AsString);
        var changes = new List<StructureChange>();
        foreach (var index in definition.Indexes)
        {
            if (!existing.TryGetValue(index.Name, out var found))
            {
                changes.Add(new StructureChange(StructureChangeKind.CreateIndex, definition.Name, index.Name));
            }
            else if (index.DifferenceFrom(found) is { } difference)
            {
                changes.Add(new StructureChange(StructureChangeKind.ReplaceIndex, definition.Name, index.Name, difference));
            }
        }

        return changes;
    }
}
