using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Structure;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary>
/// What the catalogue declares, changed on a server by hand, one property at a time: it is told, and put right or refused. Options that the stand-in does
/// not have are compared as a mongod lists them, by the unit tests.
/// </summary>
public sealed class CatalogueDriftTests(MongoServer server)
{
    private static readonly string[] s_notOnTheStandIn =
    [
        "CollectionDefinition.Capped", "CappedDefinition.Bytes", "CappedDefinition.Documents", "CollectionDefinition.Collation", "CollationDefinition.Locale",
        "CollationDefinition.Strength", "CollationDefinition.CaseLevel", "CollationDefinition.CaseFirst", "CollationDefinition.NumericOrdering",
        "CollationDefinition.Alternate", "CollationDefinition.MaxVariable", "CollationDefinition.Normalization", "CollationDefinition.Backwards",
        // The catalogue has neither views nor words.
        "ViewDefinition.On", "ViewDefinition.Pipeline", "IndexKey.Weight",
    ];

    private static readonly Case[] s_cases =
    [
        new("CollectionDefinition.Name", "create collection customers", ["{ drop: 'customers' }"]),
        new("CollectionDefinition.CrossField", "set the validator of orders (its rules differ)", ["{ collMod: 'orders', validator: {} }"]),
        new(
            "CollectionDefinition.IsBookkeeping", "set the validator of _leases (its rules differ)",
            ["{ collMod: '_leases', validator: { a: { $exists: true } } }"]),
        new("CollectionValidation.Level", "set the validator of users (its level differs)", ["{ collMod: 'users', validationLevel: 'moderate' }"]),
        new("CollectionValidation.Action", "set the validator of users (its action differs)", ["{ collMod: 'users', validationAction: 'warn' }"]),
        new(
            "CollectionDefinition.TimeSeries", "saleEvents cannot be made as declared: its type is collection and timeseries is declared",
            ["{ drop: 'saleEvents' }", "{ create: 'saleEvents' }"]),
        new(
            "TimeSeriesDefinition.TimeField", "saleEvents cannot be made as declared: its timeseries.timeField is time and at is declared",
            ["{ drop: 'saleEvents' }", Series("timeField: 'time', metaField: 'tenantId', granularity: 'minutes'")]),
        new(
            "TimeSeriesDefinition.MetaField", "saleEvents cannot be made as declared: its timeseries.metaField is storeId and tenantId is declared",
            ["{ drop: 'saleEvents' }", Series("timeField: 'at', metaField: 'storeId', granularity: 'minutes'")]),
        new(
            "TimeSeriesDefinition.Granularity", "saleEvents cannot be made as declared: its timeseries.granularity is hours and minutes is declared",
            ["{ collMod: 'saleEvents', timeseries: { granularity: 'hours' } }"]),
        new(
            "TimeSeriesDefinition.Granularity", "change saleEvents (its timeseries.granularity is seconds and minutes is declared)",
            ["{ drop: 'saleEvents' }", Series("timeField: 'at', metaField: 'tenantId', granularity: 'seconds'")]),
        new(
            "TimeSeriesDefinition.ExpireAfter", "change saleEvents (its expireAfterSeconds is 60 and 63072000 is declared)",
            ["{ collMod: 'saleEvents', expireAfterSeconds: 60 }"]),
        new(
            "TimeSeriesDefinition.ExpireAfter", "change saleEvents (its expireAfterSeconds is not set and 63072000 is declared)",
            ["{ drop: 'saleEvents' }", "{ create: 'saleEvents', timeseries: { timeField: 'at', metaField: 'tenantId', granularity: 'minutes' } }"]),
        new(
            "CollectionDefinition.KeepsImages", "change orders (its changeStreamPreAndPostImages is { \"enabled\" : true } and none is declared)",
            ["{ collMod: 'orders', changeStreamPreAndPostImages: { enabled: true } }"]),
        new(
            "CollectionDefinition.View", "customers cannot be made as declared: its type is view and collection is declared",
            ["{ drop: 'customers' }", "{ create: 'customers', viewOn: 'users', pipeline: [] }"]),
        new("CollectionDefinition.Indexes", "create index saleEvents.tenantId_1_at_1", ["{ dropIndexes: 'saleEvents', index: 'tenantId_1_at_1' }"]),
        Index("Name", "rename", "orders.tenant_number", "it is called by_number", "key: { tenantId: 1, number: 1 }, unique: true", "by_number"),
        Index("Keys", "replace", "orders.tenant_number", "its key differs", "key: { tenantId: 1, number: 1, _id: 1 }, unique: true"),
        Index("Unique", "replace", "orders.tenant_number", "its unique differs", "key: { tenantId: 1, number: 1 }"),
        Index("PartialFilter", "replace", "products.active_price", "its partialFilterExpression differs", "key: { tenantId: 1, price: 1, _id: 1 }"),
        Index("ExpireAfter", "replace", "_outbox.created", "its expireAfterSeconds differs", "key: { createdAt: 1 }, expireAfterSeconds: 3600"),
        new("IndexDefinition.Variants", "create index stores.NEAR", ["{ dropIndexes: 'stores', index: 'NEAR' }"]),
        Index("Name", "rename", "stores.NEAR", "it is called geo", "key: PLACE", "geo") with { Property = "IndexVariant.Name" },
        Index("Keys", "replace", "stores.NEAR", "its key differs", "key: { 'address.place': '2dsphere' }") with { Property = "IndexVariant.Keys" },
        Index("Field", "replace", "users.tenant_email", "its key differs", "key: { tenantId: 1, displayName: 1 }, unique: true")
            with { Property = "IndexKey.Field" },
        Index("Kind", "replace", "users.tenant_email", "its key differs", "key: { tenantId: 1, email: -1 }, unique: true") with { Property = "IndexKey.Kind" },
        // No property, and not in line all the same.
        new("", "change index products.active_price (its hidden differs)", ["{ collMod: 'products', index: { name: 'active_price', hidden: true } }"]),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_property_that_is_changed_by_hand_is_told_and_put_right_or_refused()
    {
        Assert.Equal(
            CatalogueProperties.Kept.Order(StringComparer.Ordinal),
            s_cases.Select(changed => changed.Property).Where(name => name.Length > 0).Concat(s_notOnTheStandIn).Distinct().Order(StringComparer.Ordinal));
        var database = server.NewDatabase();
        var near = CollectionCatalogue.Stores.IndexesFor(await ServerKinds.ReadAsync(database, Cancel), isTimeSeries: false)
            .Single(index => index.Queries.Any(query => query.Name == "near"));
        var catalogue = new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance);
        await catalogue.ApplyAsync(allowDrop: false, Cancel);
        foreach (var changed in s_cases)
        {
            foreach (var command in changed.ByHand)
            {
                await database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(Filled(command)), cancellationToken: Cancel);
            }

            // What was dropped and made anew lacks its indexes, too.
            var expected = Filled(changed.Expected);
            var found = Assert.Single(
                await catalogue.PlanAsync(Cancel), change => change.Kind != StructureChangeKind.CreateIndex || change.ToString() == expected);
            Assert.StartsWith(expected, found.ToString(), StringComparison.Ordinal);

            if (found.Kind == StructureChangeKind.Impossible)
            {
                var refused = await Assert.ThrowsAsync<JobRefusedException>(() => catalogue.ApplyAsync(allowDrop: true, Cancel));
                Assert.Equal($"The collection {found}.", refused.Message);
                await database.DropCollectionAsync(found.Collection, Cancel);
            }

            await catalogue.ApplyAsync(allowDrop: true, Cancel);
            Assert.Empty((await catalogue.PlanAsync(Cancel)).Select(change => $"after {expected}: {change}"));
        }

        string Filled(string text) => text
            .Replace("NEAR", near.Name, StringComparison.Ordinal)
            .Replace("PLACE", near.KeyDocument().ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expiry_that_was_changed_by_hand_is_told_by_status_and_by_indexes_plan_and_up_puts_it_right()
    {
        var database = server.NewDatabase();
        var connection = server.ConnectionStringOf(database);
        (await JobProgram.Migrator.RunAsync(connection, "up", Cancel)).Expect(ExitCodes.Success);
        (await JobProgram.Migrator.RunAsync(connection, "status", Cancel)).Expect(ExitCodes.Success);
        await database.RunCommandAsync<BsonDocument>(BsonDocument.Parse("{ collMod: 'saleEvents', expireAfterSeconds: 60 }"), cancellationToken: Cancel);

        const string change = "change saleEvents (its expireAfterSeconds is 60 and 63072000 is declared)";
        var status = (await JobProgram.Migrator.RunAsync(connection, "status", Cancel)).Expect(ExitCodes.Refused);
        Assert.Contains($"to do: {change}", status.Output, StringComparison.Ordinal);
        var plan = (await JobProgram.Migrator.RunAsync(connection, "indexes plan", Cancel)).Expect(ExitCodes.Refused);
        Assert.Contains(change, plan.Output, StringComparison.Ordinal);
        (await JobProgram.Migrator.RunAsync(connection, "up", Cancel)).Expect(ExitCodes.Success);

        (await JobProgram.Migrator.RunAsync(connection, "status", Cancel)).Expect(ExitCodes.Success);
        using var listed = await database.ListCollectionsAsync(new ListCollectionsOptions { Filter = new BsonDocument("name", "saleEvents") }, Cancel);
        Assert.Equal(63_072_000, (await listed.SingleAsync(Cancel))["options"]["expireAfterSeconds"].ToInt64());
    }

    private static string Series(string options) => $"{{ create: 'saleEvents', timeseries: {{ {options} }}, expireAfterSeconds: 63072000 }}";

    // In the place of an index another one, under its name or a new one.
    private static Case Index(string property, string change, string index, string difference, string options, string? name = null)
    {
        var (collection, old) = (index.Split('.')[0], index.Split('.')[1]);
        return new(
            $"IndexDefinition.{property}",
            $"{change} index {index} ({difference})",
            [
                $"{{ dropIndexes: '{collection}', index: '{old}' }}",
                $"{{ createIndexes: '{collection}', indexes: [{{ name: '{name ?? old}', {options} }}] }}",
            ]);
    }

    private sealed record Case(string Property, string Expected, string[] ByHand);
}
