using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Indexes;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Server.Indexes;

/// <summary>What becomes of indexes that differ, step by step.</summary>
public sealed class IndexLifecycleTests(MongoServer server)
{
    private static readonly IndexRemoval Removal = new(Allowed: true, TimeSpan.FromHours(24), AtOnce: false);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_unknown_index_is_hidden_first_and_dropped_when_nobody_missed_it_for_a_day()
    {
        var database = await NewAsync();
        await AddAsync(database, "old");

        Assert.Equal(IndexOutcomeKind.Left, Assert.Single(await ApplyAsync(database, IndexRemoval.None)).Outcome);
        Assert.False(await IsHiddenAsync(database, "old"));

        Assert.Equal(IndexOutcomeKind.Hidden, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
        Assert.True(await IsHiddenAsync(database, "old"));

        _time.Advance(TimeSpan.FromHours(23));
        var waiting = Assert.Single(await ApplyAsync(database, Removal));
        Assert.Equal(IndexOutcomeKind.Left, waiting.Outcome);
        Assert.Contains("2026-06-02 00:00 UTC", waiting.Reason, StringComparison.Ordinal);

        _time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(IndexOutcomeKind.Dropped, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
        Assert.Null(await IsHiddenAsync(database, "old"));
        Assert.Empty(await CompareAsync(database));
        Assert.Empty(await new IndexBuilder(database, _time).ReadHiddenAsync(Cancel));
    }

    [Fact]
    public async Task A_hidden_index_can_be_had_back_and_its_day_starts_anew()
    {
        var database = await NewAsync();
        await AddAsync(database, "old");
        await ApplyAsync(database, Removal);
        _time.Advance(TimeSpan.FromHours(25));
        await new IndexBuilder(database, _time).RestoreAsync(CollectionNames.Orders, "old", Cancel);
        Assert.False(await IsHiddenAsync(database, "old"));
        Assert.Equal(IndexOutcomeKind.Hidden, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
    }

    [Fact]
    public async Task An_index_under_another_name_is_renamed_with_the_catalogue_unless_nothing_can_stand_in_for_it()
    {
        var database = await NewAsync();
        await RunAsync(database, "{ dropIndexes: 'orders', index: 'tenant_number' }");
        await RunAsync(database, "{ createIndexes: 'orders', indexes: [{ name: 'number_before', key: { tenantId: 1, number: 1 }, unique: true }] }");
        Assert.Equal(
            ["rename index orders.tenant_number (it is called number_before)"], (await SynchroniseAsync(database)).Select(change => change.ToString()));
        Assert.Empty(await CompareAsync(database));

        await RunAsync(database, "{ dropIndexes: 'stores', index: 'location' }");
        await RunAsync(database, "{ createIndexes: 'stores', indexes: [{ name: 'place', key: { location: '2dsphere' } }] }");
        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => SynchroniseAsync(database));
        Assert.StartsWith("The index stores.location cannot be made as declared: it is called place, ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_hiding_an_unknown_index_is_dropped_at_once()
    {
        var database = await NewAsync();
        await AddAsync(database, "old");
        Assert.Equal(IndexOutcomeKind.Dropped, Assert.Single(await ApplyAsync(database, Removal with { AtOnce = true })).Outcome);
        Assert.Null(await IsHiddenAsync(database, "old"));
    }

    [Fact]
    public async Task A_changed_index_is_built_again_only_when_dropping_is_allowed_and_an_expiry_changes_as_it_stands()
    {
        var database = server.NewDatabase();
        // As an engine without time series would have it.
        await MakePlainAsync(database);
        await SynchroniseAsync(database);
        var orders = database.GetCollection<BsonDocument>(CollectionNames.Orders);
        await orders.Indexes.DropOneAsync("tenant_number", Cancel);
        await RunAsync(database, "{ createIndexes: 'orders', indexes: [{ name: 'tenant_number', key: { tenantId: 1, number: 1 } }] }");
        await RunAsync(database, "{ collMod: 'saleEvents', index: { name: 'expiry', expireAfterSeconds: 60 } }");
        await RunAsync(database, "{ collMod: 'saleEvents', index: { name: 'expiry', hidden: true } }");
        await RunAsync(database, "{ collMod: 'categories', index: { name: 'tenant_parent', hidden: true } }");

        Assert.Equal(
            [("tenant_parent", IndexOutcomeKind.Restored), ("tenant_number", IndexOutcomeKind.Left), ("expiry", IndexOutcomeKind.Restored)],
            (await ApplyAsync(database, IndexRemoval.None)).Select(outcome => (outcome.Index, outcome.Outcome)));
        Assert.Equal(("tenant_number", "unique"), Assert.Single((await CompareAsync(database)).Select(change => (change.Index, change.Difference))));
        Assert.Equal(IndexOutcomeKind.Replaced, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
        Assert.Empty(await CompareAsync(database));
    }

    [Fact]
    public async Task Measurements_are_a_time_series_and_where_they_are_not_the_same_indexes_and_an_expiry_stand_in()
    {
        var database = server.NewDatabase();
        await MakePlainAsync(database);
        await SynchroniseAsync(database);
        var read = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, Cancel);
        Assert.Empty(IndexPlanner.Compare(CollectionCatalogue.All, read));
        var state = read.Collections;

        Assert.True(state[CollectionNames.InventoryEvents].IsTimeSeries);
        Assert.False(state[CollectionNames.SaleEvents].IsTimeSeries);
        var plain = state[CollectionNames.SaleEvents].Indexes.ToDictionary(index => index["name"].AsString);
        Assert.Equal(
            ["_id_", "expiry", "tenantId_1_at_1", "tenant_product_at", "tenant_store_at"], plain.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(TimeSpan.FromDays(730).TotalSeconds, plain["expiry"]["expireAfterSeconds"].ToDouble());
        Assert.Contains("tenant_product_store_sequence", state[CollectionNames.InventoryEvents].Indexes.Select(index => index["name"].AsString));
    }

    [Fact]
    public async Task An_index_is_built_again_when_asked_for()
    {
        var database = await NewAsync();
        var outcome = await new IndexBuilder(database, _time).RebuildAsync(
            CollectionNames.Products, CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_words"), Cancel);
        Assert.Equal(IndexOutcomeKind.Replaced, outcome.Outcome);
        Assert.Empty(await CompareAsync(database));
    }

    [Fact]
    public async Task A_server_without_a_profiler_is_said_to_have_none_or_its_entries_are_read()
    {
        var database = await NewAsync();
        var (queries, notes) = await new ProfileReader(database).ReadAsync(Cancel);
        Assert.True(queries.Count > 0 || notes.Count > 0, "Neither slow queries nor a note.");
    }

    private async Task<IMongoDatabase> NewAsync()
    {
        var database = server.NewDatabase();
        await SynchroniseAsync(database);
        return database;
    }

    private Task<IReadOnlyList<StructureChange>> SynchroniseAsync(IMongoDatabase database) =>
        new CatalogueSynchroniser(database, _time, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);

    // As the migrator makes it where the server refuses to make a time series.
    private static async Task MakePlainAsync(IMongoDatabase database)
    {
        await RunAsync(database, "{ create: 'saleEvents' }");
        await RunAsync(database, "{ createIndexes: 'saleEvents', indexes: [{ name: 'expiry', key: { at: 1 }, expireAfterSeconds: 63072000 }] }");
    }

    private static Task<BsonDocument> AddAsync(IMongoDatabase database, string name) =>
        RunAsync(database, $"{{ createIndexes: 'orders', indexes: [{{ name: '{name}', key: {{ storeId: 1 }} }}] }}");

    private static Task<BsonDocument> RunAsync(IMongoDatabase database, string command) =>
        database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), cancellationToken: Cancel);

    private static async Task<IReadOnlyList<IndexChange>> CompareAsync(IMongoDatabase database) =>
        IndexPlanner.Compare(CollectionCatalogue.All, await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, Cancel));

    private async Task<List<IndexOutcome>> ApplyAsync(IMongoDatabase database, IndexRemoval removal)
    {
        var builder = new IndexBuilder(database, _time);
        var outcomes = new List<IndexOutcome>();
        foreach (var change in await CompareAsync(database))
        {
            outcomes.Add(await builder.ApplyAsync(change, removal, Cancel));
        }

        return outcomes;
    }

    private static async Task<bool?> IsHiddenAsync(IMongoDatabase database, string name)
    {
        using var cursor = await database.GetCollection<BsonDocument>(CollectionNames.Orders).Indexes.ListAsync(Cancel);
        return (await cursor.ToListAsync(Cancel)).Find(index => index["name"] == name)?.GetValue("hidden", false).ToBoolean();
    }
}
