using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Jobs;

namespace Platform.Migrator.Validation;

/// <summary>
/// Puts a collection's rules in force, as a migration of its validator. Rules that shall hold strictly are put in force in two
/// steps: first <c>moderate</c>, so that from then on no obeying document can be made to break them, then, once all documents
/// were read and obey, <c>strict</c>. When some do not, the validator that was there is put back and the change is refused.
/// Stopped in between, the collection stays at <c>moderate</c> and the next run goes on from there.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="logger">Where the steps are logged.</param>
public sealed partial class ValidatorMigration(IMongoDatabase database, ILogger logger)
{
    private const int Examples = 3;

    /// <summary>Whether a collection's validator is the one that shall be.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="wanted">How it shall be enforced.</param>
    /// <param name="options">The collection's options, as the server lists them.</param>
    /// <returns>What differs, in words for people; null when nothing does.</returns>
    public static string? DifferenceFrom(CollectionDefinition collection, CollectionValidation wanted, BsonDocument options)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(wanted);
        var current = Current(options);
        return current["validator"] != collection.Validator ? "rules differ"
            : current["validationLevel"] != wanted.LevelName ? "level differs"
            : current["validationAction"] != wanted.ActionName ? "action differs"
            : null;
    }

    /// <summary>The command that creates a collection with its rules in force.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="wanted">How they shall be enforced.</param>
    /// <param name="asPlain">Whether the server takes no time series, so that it is to be a plain collection.</param>
    public static BsonDocument Create(CollectionDefinition collection, CollectionValidation wanted, bool asPlain = false)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(wanted);
        var create = collection.Validator.ElementCount == 0 ? new BsonDocument("create", collection.Name) : Command("create", collection, wanted);
        return create.Merge(collection.Options(asPlain));
    }

    /// <summary>Puts the rules in force on a collection that exists.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="wanted">How they shall be enforced.</param>
    /// <param name="cancellationToken">Stops the change.</param>
    /// <exception cref="JobRefusedException">Documents break the rules; the validator is what it was.</exception>
    public async Task ApplyAsync(CollectionDefinition collection, CollectionValidation wanted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted != CollectionValidation.Full || collection.Validator.ElementCount == 0)
        {
            // What is not enforced on documents that are there, or asks nothing of them, needs no look at them.
            await RunAsync(Command("collMod", collection, wanted), cancellationToken);
            return;
        }

        var previous = Current(await ReadOptionsAsync(collection.Name, cancellationToken));
        await RunAsync(Command("collMod", collection, wanted with { Level = DocumentValidationLevel.Moderate }), cancellationToken);
        Scanning(logger, collection.Name);
        if (await FindViolationsAsync(collection, cancellationToken) is { } violations)
        {
            previous.InsertAt(0, new BsonElement("collMod", collection.Name));
            await RunAsync(previous, cancellationToken);
            throw new JobRefusedException(violations);
        }

        await RunAsync(Command("collMod", collection, wanted), cancellationToken);
    }

    /// <summary>
    /// Puts the rules in force for what is written from now on, where they shall hold strictly: documents that are there and break them can be changed
    /// still, as a migration of them has to. <see cref="ApplyAsync"/> makes an end of that.
    /// </summary>
    /// <param name="collection">The collection.</param>
    /// <param name="wanted">How they shall be enforced in the end.</param>
    /// <param name="cancellationToken">Stops the change.</param>
    public Task AnnounceAsync(CollectionDefinition collection, CollectionValidation wanted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(wanted);
        var announced = wanted == CollectionValidation.Full && collection.Validator.ElementCount > 0
            ? wanted with { Level = DocumentValidationLevel.Moderate }
            : wanted;
        return RunAsync(Command("collMod", collection, announced), cancellationToken);
    }

    // A sentence on documents that break the rules; null when none does.
    private async Task<string?> FindViolationsAsync(CollectionDefinition collection, CancellationToken cancellationToken)
    {
        var today = CollectionCatalogue.All.FirstOrDefault(known => known.Name == collection.Name && known.Validator == collection.Validator);
        if (today is null)
        {
            return await FindRefusedAsync(collection, cancellationToken);
        }

        var examples = new List<string>();
        var result = await new CollectionScan(database).RunAsync(
            today,
            (id, violations) =>
            {
                if (examples.Count < Examples)
                {
                    examples.Add($"{id} {violations[0].Pointer}: {violations[0].Detail}");
                }

                return ValueTask.CompletedTask;
            },
            progress: null,
            cancellationToken);
        return result.Violating == 0 ? null
            : $"{result.Violating} of {result.Documents} documents of {collection.Name} break its rules ({string.Join("; ", examples)}), so they are not "
                + $"put in force; see 'migrator validate --collection {collection.Name} --fix-report FILE', or set {Setting(collection)} to moderate.";
    }

    // The rules of another version are known to the server alone.
    private async Task<string?> FindRefusedAsync(CollectionDefinition collection, CancellationToken cancellationToken)
    {
        var refused = new BsonDocument("$nor", new BsonArray { collection.Validator });
        var examples = await database.GetCollection<BsonDocument>(collection.Name)
            .Find(refused).Project(new BsonDocument("_id", 1)).Limit(Examples).ToListAsync(cancellationToken);
        return examples.Count == 0 ? null
            : $"Documents of {collection.Name} break the rules of the version that is gone to (such as "
                + $"{string.Join(", ", examples.Select(document => document["_id"]))}), so they are not put in force; repair them, or set "
                + $"{Setting(collection)} to moderate.";
    }

    private static string Setting(CollectionDefinition collection) =>
        $"{ValidationOptions.Section}:{nameof(ValidationOptions.Collections)}:{collection.Name}:Level";

    private static BsonDocument Command(string name, CollectionDefinition collection, CollectionValidation wanted) => new()
    {
        { name, collection.Name },
        { "validator", collection.Validator },
        { "validationLevel", wanted.LevelName },
        { "validationAction", wanted.ActionName },
    };

    // A server lists no level or action for a collection that was created without a validator.
    private static BsonDocument Current(BsonDocument options) => new()
    {
        { "validator", options.GetValue("validator", new BsonDocument()) },
        { "validationLevel", options.GetValue("validationLevel", CollectionValidation.Full.LevelName) },
        { "validationAction", options.GetValue("validationAction", CollectionValidation.Full.ActionName) },
    };

    private async Task<BsonDocument> ReadOptionsAsync(string name, CancellationToken cancellationToken)
    {
        var only = new ListCollectionsOptions { Filter = new BsonDocument("name", name) };
        using var cursor = await database.ListCollectionsAsync(only, cancellationToken);
        var collection = await cursor.FirstOrDefaultAsync(cancellationToken);
        return collection?.GetValue("options", new BsonDocument()).AsBsonDocument ?? [];
    }

    private Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    [LoggerMessage(1, LogLevel.Information, "{Collection}: its new rules hold for what is written from now on; reading what is there before they hold "
        + "strictly")]
    private static partial void Scanning(ILogger logger, string collection);
}
