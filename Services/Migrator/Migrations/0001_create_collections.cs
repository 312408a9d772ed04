using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Creates the collections with the validators and indexes that they had in the first release that is kept: 0001_create_collections.json has
/// them, written out, whatever the catalogue has become since. The way down drops those that are empty.
/// </summary>
[Migration(1, "create_collections", Replaces = new[] { "90b0ac901fd1fb8e31acf997a67c1bfa94040dca6e7a23f0c8eeab09767b40d0" })]
internal sealed partial class CreateCollections : Migration
{
    private const string Outbox = "_outbox";

    private static readonly Lazy<IReadOnlyList<BsonDocument>> s_collections = new(Read);

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        using var cursor = await context.Database.ListCollectionsAsync(cancellationToken: cancellationToken);
        var existing = (await cursor.ToListAsync(cancellationToken)).ToDictionary(collection => collection["name"].AsString);
        if (!existing.ContainsKey(Outbox))
        {
            await RunAsync(context, new BsonDocument("create", Outbox), cancellationToken);
        }

        foreach (var collection in s_collections.Value)
        {
            var there = existing.GetValueOrDefault(collection["name"].AsString);
            var isTimeSeries = there is null ? await CreateAsync(context, collection, cancellationToken) : there.GetValue("type", "collection") == "timeseries";
            await CreateIndexesAsync(context, collection, isTimeSeries, cancellationToken);
        }
    }

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        foreach (var name in s_collections.Value.Select(collection => collection["name"].AsString))
        {
            if (await context.Database.GetCollection<BsonDocument>(name).Find(FilterDefinition<BsonDocument>.Empty).Limit(1).AnyAsync(cancellationToken))
            {
                throw new JobRefusedException($"The collection {name} is not empty, so it is not dropped.");
            }
        }

        foreach (var name in s_collections.Value.Select(collection => collection["name"].AsString))
        {
            await context.Database.DropCollectionAsync(name, cancellationToken);
        }
    }

    // Returns whether it is a time series, which takes no validator. A server without these keeps plain documents.
    private static async Task<bool> CreateAsync(MigrationContext context, BsonDocument collection, CancellationToken cancellationToken)
    {
        var create = new BsonDocument("create", collection["name"]);
        if (collection.TryGetValue("timeseries", out var options))
        {
            try
            {
                await RunAsync(context, new BsonDocument(create).AddRange(options.AsBsonDocument), cancellationToken);
                return true;
            }
            catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception))
            {
                NoTimeSeries(context.Logger, collection["name"].AsString, exception.Message);
            }
        }

        create.AddRange(new BsonDocument { { "validator", collection["validator"] }, { "validationLevel", "strict" }, { "validationAction", "error" } });
        await RunAsync(context, create, cancellationToken);
        return false;
    }

    // What is there under another name or with other options is left to the comparison with the catalogue.
    private static async Task CreateIndexesAsync(MigrationContext context, BsonDocument collection, bool isTimeSeries, CancellationToken cancellationToken)
    {
        var name = collection["name"].AsString;
        using var cursor = await context.Database.GetCollection<BsonDocument>(name).Indexes.ListAsync(cancellationToken);
        var existing = await cursor.ToListAsync(cancellationToken);
        var standIns = isTimeSeries ? [] : collection.GetValue("standIns", new BsonArray()).AsBsonArray;
        foreach (var index in collection["indexes"].AsBsonArray.Concat(standIns).Select(index => index.AsBsonDocument))
        {
            if (!existing.Exists(other => other["name"] == index["name"] || Keys(other) == Keys(index)))
            {
                await RunAsync(
                    context,
                    new BsonDocument { { "createIndexes", name }, { "indexes", new BsonArray { index } }, { "commitQuorum", "votingMembers" } },
                    cancellationToken);
            }
        }
    }

    // A direction is a number of any type.
    private static string Keys(BsonDocument index) =>
        string.Join(' ', index["key"].AsBsonDocument.Select(key => $"{key.Name} {(key.Value.IsNumeric ? key.Value.ToInt32() : key.Value)}"));

    private static Task<BsonDocument> RunAsync(MigrationContext context, BsonDocument command, CancellationToken cancellationToken) =>
        context.Database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    private static IReadOnlyList<BsonDocument> Read()
    {
        using var stream = typeof(CreateCollections).Assembly.GetManifestResourceStream("0001_create_collections.json")!;
        using var reader = new StreamReader(stream);
        return [.. BsonSerializer.Deserialize<BsonArray>(reader.ReadToEnd()).Select(collection => collection.AsBsonDocument)];
    }

    [LoggerMessage(1, LogLevel.Warning, "The server has no time series, so {Collection} is a plain collection with the same indexes and one that lets documents expire: {Reason}")]
    private static partial void NoTimeSeries(ILogger logger, string collection, string reason);
}
