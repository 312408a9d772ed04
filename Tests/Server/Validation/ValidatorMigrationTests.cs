using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Jobs;
using Platform.Migrator.Structure;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Validation;

/// <summary>How new rules are put in force on data that is there already.</summary>
public sealed class ValidatorMigrationTests(MongoServer server)
{
    private static CollectionDefinition Products => CollectionCatalogue.Products;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rules_that_documents_break_are_not_put_in_force_and_the_old_ones_stay()
    {
        var database = await DatabaseWithOldRulesAsync();
        var (good, bad) = await OneGoodAndOneBadAsync(database);
        var before = await OptionsAsync(database);

        var refusal = await Assert.ThrowsAsync<JobRefusedException>(() => Synchroniser(database).ApplyAsync(allowDrop: false, Cancel));

        Assert.Contains(
            $"1 of 2 documents of products break its rules ({bad["_id"]} /currency: Must be three capital letters", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, await OptionsAsync(database));

        // Once it is put right they hold.
        await Collection(database).UpdateOneAsync(
            new BsonDocument("_id", bad["_id"]), new BsonDocument("$set", new BsonDocument("currency", "EUR")), cancellationToken: Cancel);
        await Synchroniser(database).ApplyAsync(allowDrop: false, Cancel);
        Assert.Equal("strict", (await OptionsAsync(database))["validationLevel"]);
        Assert.Empty(await Synchroniser(database).PlanAsync(Cancel));
        Assert.Equal(121, await SetCurrencyAsync(database, good, "euro"));
    }

    [Fact]
    public async Task Moderate_rules_let_documents_that_broke_them_change_and_hold_for_all_others()
    {
        var database = await DatabaseWithOldRulesAsync();
        var (good, bad) = await OneGoodAndOneBadAsync(database);

        var synchroniser = Synchroniser(database, level: "moderate");
        Assert.Contains("set the validator of products (its rules differ)", (await synchroniser.PlanAsync(Cancel)).Select(change => change.ToString()));
        await synchroniser.ApplyAsync(allowDrop: false, Cancel);

        Assert.Equal(0, await SetCurrencyAsync(database, bad, "still wrong"));
        Assert.Equal(121, await SetCurrencyAsync(database, good, "wrong"));
        Assert.Empty(await synchroniser.PlanAsync(Cancel));
    }

    [Fact]
    public async Task Rules_that_only_warn_refuse_nothing()
    {
        var database = await DatabaseWithOldRulesAsync();
        var (good, _) = await OneGoodAndOneBadAsync(database);

        await Synchroniser(database, action: "warn").ApplyAsync(allowDrop: false, Cancel);

        Assert.Equal(0, await SetCurrencyAsync(database, good, "wrong"));
    }

    [Fact]
    public async Task A_level_that_is_raised_is_a_change_that_looks_at_the_documents_first()
    {
        var database = await DatabaseWithOldRulesAsync();
        await OneGoodAndOneBadAsync(database);
        await Synchroniser(database, level: "moderate").ApplyAsync(allowDrop: false, Cancel);

        Assert.Equal(
            ["set the validator of products (its level differs)"],
            (await Synchroniser(database).PlanAsync(Cancel)).Where(change => change.Collection == Products.Name).Select(change => change.ToString()));
        await Assert.ThrowsAsync<JobRefusedException>(() => Synchroniser(database).ApplyAsync(allowDrop: false, Cancel));
        Assert.Equal("moderate", (await OptionsAsync(database))["validationLevel"]);
    }

    private static CatalogueSynchroniser Synchroniser(IMongoDatabase database, string level = "strict", string action = "error") =>
        new(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance, new ValidationOptions
        {
            Collections = { [Products.Name] = new() { Level = level, Action = action } },
        });

    private static IMongoCollection<BsonDocument> Collection(IMongoDatabase database) => database.GetCollection<BsonDocument>(Products.Name);

    private static async Task<BsonDocument> OptionsAsync(IMongoDatabase database)
    {
        using var cursor = await database.ListCollectionsAsync(new ListCollectionsOptions { Filter = new BsonDocument("name", Products.Name) }, Cancel);
        return (await cursor.SingleAsync(Cancel))["options"].AsBsonDocument;
    }

    private static async Task<int> SetCurrencyAsync(IMongoDatabase database, BsonDocument document, string currency)
    {
        try
        {
            await Collection(database).UpdateOneAsync(
                new BsonDocument("_id", document["_id"]), new BsonDocument("$set", new BsonDocument("currency", currency)), cancellationToken: Cancel);
            return 0;
        }
        catch (MongoWriteException exception)
        {
            return exception.WriteError.Code;
        }
    }

    private async Task<IMongoDatabase> DatabaseWithOldRulesAsync()
    {
        var database = server.NewDatabase();
        await Synchroniser(database).ApplyAsync(allowDrop: false, Cancel);
        var old = BsonDocument.Parse("{ $jsonSchema: { bsonType: 'object', required: ['sku'] } }");
        await database.RunCommandAsync<BsonDocument>(new BsonDocument { { "collMod", Products.Name }, { "validator", old } }, cancellationToken: Cancel);
        return database;
    }

    private static async Task<(BsonDocument Good, BsonDocument Bad)> OneGoodAndOneBadAsync(IMongoDatabase database)
    {
        var samples = new DocumentSamples(Products, seed: 3);
        var (good, bad) = (samples.Valid(), samples.Valid());
        bad["currency"] = "euro";
        await Collection(database).InsertManyAsync([good, bad], cancellationToken: Cancel);
        return (good, bad);
    }
}
