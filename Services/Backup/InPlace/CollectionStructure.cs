using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;

namespace Platform.Backup.InPlace;

/// <summary>A collection without its documents.</summary>
/// <param name="Options">Its options, the validator among them, as <c>create</c> takes them.</param>
/// <param name="Indexes">Its indexes but that of the key, as <c>createIndexes</c> takes them.</param>
internal sealed record CollectionStructure(BsonDocument Options, IReadOnlyList<BsonDocument> Indexes)
{
    private const string Validator = "validator";
    private const string ValidationLevel = "validationLevel";
    private const string ValidationAction = "validationAction";
    private const string Images = "changeStreamPreAndPostImages";

    // What collMod changes, and what is so without it.
    private static readonly Dictionary<string, BsonValue> s_modifiable = new(StringComparer.Ordinal)
    {
        [Validator] = new BsonDocument(), [ValidationLevel] = "strict", [ValidationAction] = "error", [Images] = new BsonDocument("enabled", false),
    };

    /// <summary>Reads it; null when there is no such collection.</summary>
    /// <exception cref="BackupException">It is not one whose documents can be written one by one.</exception>
    public static async Task<CollectionStructure?> ReadAsync(IMongoDatabase database, string name, CancellationToken cancellationToken)
    {
        using var cursor = await database.ListCollectionsAsync(new() { Filter = new BsonDocument("name", name) }, cancellationToken);
        if (await cursor.FirstOrDefaultAsync(cancellationToken) is not { } listed)
        {
            return null;
        }

        var options = listed.GetValue("options", new BsonDocument()).AsBsonDocument;
        if (listed["type"] != "collection" || options.GetValue("capped", false).ToBoolean())
        {
            throw new BackupException(
                $"{name} is a {(listed["type"] == "collection" ? "capped collection" : listed["type"].AsString)}, whose documents cannot be written one "
                    + "by one; open the copy with 'backup restore --serve' and take from it what is needed.",
                ExitCodes.Refused);
        }

        var indexes = await (await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(cancellationToken)).ToListAsync(cancellationToken);
        return new CollectionStructure(
            options,
            [.. indexes.Where(index => index["name"] != "_id_").Select(index => new BsonDocument(index.Where(field => field.Name is not ("v" or "ns"))))]);
    }

    /// <summary>What makes the running collection what it was.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="live">As it is; null when it is gone.</param>
    /// <exception cref="BackupException">It has become another one in what no command changes.</exception>
    public StructureChange ChangeOf(string name, CollectionStructure? live)
    {
        if (live is null)
        {
            return new StructureChange(name, Options, null, Indexes, []);
        }

        var fixedNow = Fixed(live.Options);
        if (fixedNow != Fixed(Options))
        {
            throw new BackupException(
                $"{name} is there with other options ({fixedNow.ToJson()}, not {Fixed(Options).ToJson()}), which no command changes: rename it, and {name} is "
                    + "brought back whole.",
                ExitCodes.Refused);
        }

        var modified = new BsonDocument(s_modifiable.Where(option => Value(Options, option) != Value(live.Options, option))
            .Select(option => new BsonElement(option.Key, Value(Options, option))));
        var known = live.Indexes.ToDictionary(index => index["name"].AsString, StringComparer.Ordinal);
        return new StructureChange(
            name,
            null,
            modified.ElementCount > 0 ? modified : null,
            [.. Indexes.Where(index => !known.ContainsKey(index["name"].AsString))],
            [.. known.Where(entry => !Indexes.Contains(entry.Value)).Select(entry => entry.Key)]);
    }

    /// <summary>Makes the collection, or changes its options; not its indexes.</summary>
    public static async Task ApplyAsync(IMongoDatabase database, StructureChange change, CancellationToken cancellationToken)
    {
        if (change.Created is { } options)
        {
            await database.RunCommandAsync<BsonDocument>(
                new BsonDocument("create", change.Collection).AddRange(options), ReadPreference.Primary, cancellationToken);
        }

        if (change.Modified is { } modified)
        {
            await database.RunCommandAsync<BsonDocument>(
                new BsonDocument("collMod", change.Collection).AddRange(modified), ReadPreference.Primary, cancellationToken);
        }
    }

    /// <summary>Makes the indexes.</summary>
    public static async Task IndexAsync(IMongoDatabase database, StructureChange change, CancellationToken cancellationToken)
    {
        if (change.Indexes.Count > 0)
        {
            await database.RunCommandAsync<BsonDocument>(
                new BsonDocument { ["createIndexes"] = change.Collection, ["indexes"] = new BsonArray(change.Indexes) },
                ReadPreference.Primary,
                cancellationToken);
        }
    }

    private static BsonDocument Fixed(BsonDocument options) =>
        new(options.Where(option => !s_modifiable.ContainsKey(option.Name)).OrderBy(option => option.Name, StringComparer.Ordinal));

    private static BsonValue Value(BsonDocument options, KeyValuePair<string, BsonValue> option) => options.GetValue(option.Key, option.Value);
}
