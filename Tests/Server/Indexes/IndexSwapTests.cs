using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Migrator.DryRun;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Server.Indexes;

/// <summary>How an index takes the place of another, on a collection with two.</summary>
public sealed class IndexSwapTests(MongoServer server)
{
    private static readonly IndexRemoval Removal = new(Allowed: true, TimeSpan.FromHours(24), AtOnce: false);

    private static readonly CollectionDefinition<Store> Stores = new()
    {
        Name = "stores",
        Description = "",
        ShardKey = new() { Keys = [new("tenantId")], Reason = "" },
        Indexes =
        [
            new() { Name = "code", Keys = [new("tenantId"), new("code")], Unique = true, Serves = "" },
            new() { Name = "location", Keys = [new("location", IndexKind.Sphere)], Serves = "", TenantException = "" },
        ],
    };

    private static readonly string[] AsDeclared =
        ["{ name: 'code', key: { tenantId: 1, code: 1 }, unique: true }", "{ name: 'location', key: { location: '2dsphere' } }"];

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_renamed_unique_index_keeps_its_rule_at_every_step_and_can_be_stopped_at_any()
    {
        var database = await NewAsync(AsDeclared);
        var stores = database.GetCollection<BsonDocument>(Stores.Name);
        await stores.InsertOneAsync(BsonDocument.Parse("{ tenantId: 1, code: 'A' }"), cancellationToken: Cancel);
        for (var stop = 0; stop < 4; stop++)
        {
            await RunAsync(database, "{ dropIndexes: 'stores', index: 'code' }");
            await RunAsync(database, "{ createIndexes: 'stores', indexes: [{ name: 'code_before', key: { tenantId: 1, code: 1 }, unique: true }] }");
            Assert.Equal(
                [(IndexChangeKind.Renamed, "code", "code_before")],
                (await CompareAsync(database)).Select(change => (change.Kind, change.Index, change.ExistingName)));

            var seen = 0;
            await using (var tap = CommandTap.Open(database.Client, command =>
            {
                if (command.Name is not ("createIndexes" or "dropIndexes"))
                {
                    return TapDecision.Forward;
                }

                // Before each step a second store of the code is refused, whichever index keeps the rule.
                var refused =
                    Assert.Throws<MongoWriteException>(() => stores.InsertOne(BsonDocument.Parse("{ tenantId: 1, code: 'A' }"), cancellationToken: Cancel));
                Assert.Equal(ServerErrorCategory.DuplicateKey, refused.WriteError.Category);
                return seen++ == stop ? new TapDecision(BsonDocument.Parse("{ ok: 0, code: 1, errmsg: 'stopped by the test' }")) : TapDecision.Forward;
            }))
            {
                var tapped = tap.Client.GetDatabase(database.DatabaseNamespace.DatabaseName);
                await Assert.ThrowsAsync<MongoCommandException>(() => ApplyAsync(tapped, IndexRemoval.None));
            }

            Assert.Equal(stop, seen - 1);
            await ApplyAsync(database, IndexRemoval.None);
            Assert.Empty(await CompareAsync(database));
        }
    }

    [Fact]
    public async Task An_index_that_has_no_stand_in_is_renamed_when_dropping_is_allowed()
    {
        var database = await NewAsync(AsDeclared[0], "{ name: 'place', key: { location: '2dsphere' } }");
        var left = Assert.Single(await ApplyAsync(database, IndexRemoval.None));
        Assert.Equal((IndexOutcomeKind.Left, true), (left.Outcome, left.Reason.Contains("it is called place", StringComparison.Ordinal)));
        Assert.Equal(IndexOutcomeKind.Renamed, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
        Assert.Empty(await CompareAsync(database));
    }

    [Fact]
    public async Task An_index_that_cannot_be_built_leaves_the_one_it_was_to_replace()
    {
        var database = await NewAsync("{ name: 'code', key: { tenantId: 1, code: 1 } }", AsDeclared[1]);
        await database.GetCollection<BsonDocument>(Stores.Name).InsertManyAsync(
            [BsonDocument.Parse("{ tenantId: 1, code: 'A' }"), BsonDocument.Parse("{ tenantId: 1, code: 'A' }")], cancellationToken: Cancel);
        var exception = await Assert.ThrowsAsync<MongoCommandException>(() => ApplyAsync(database, Removal));
        Assert.Equal(11000, exception.Code);
        Assert.Equal(["unique"], Assert.Single(await CompareAsync(database)).Differences);
    }

    [Fact]
    public async Task One_with_the_same_keys_and_another_rule_under_another_name_is_told_of_or_replaced()
    {
        var database = await NewAsync("{ name: 'code_before', key: { tenantId: 1, code: 1 } }", AsDeclared[1]);
        var outcomes = await ApplyAsync(database, IndexRemoval.None);
        // A server either takes both, or says that it does not.
        Assert.Contains(
            outcomes, outcome => outcome is { Index: "code", Outcome: IndexOutcomeKind.Created } or { Index: "code", Outcome: IndexOutcomeKind.Left });
        await ApplyAsync(database, Removal);
        Assert.DoesNotContain(await CompareAsync(database), change => change.Index == "code");
    }

    [Fact]
    public async Task The_day_of_a_hidden_index_starts_anew_when_somebody_shows_it_or_makes_another_of_its_name()
    {
        var database = await NewAsync([.. AsDeclared, "{ name: 'old', key: { name: 1 } }"]);
        await ApplyAsync(database, Removal);
        _time.Advance(TimeSpan.FromHours(20));
        await RunAsync(database, "{ collMod: 'stores', index: { name: 'old', hidden: false } }");
        _time.Advance(TimeSpan.FromHours(20));
        Assert.Equal(IndexOutcomeKind.Hidden, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(IndexOutcomeKind.Left, Assert.Single(await ApplyAsync(database, Removal)).Outcome);

        await RunAsync(database, "{ dropIndexes: 'stores', index: 'old' }");
        await RunAsync(database, "{ createIndexes: 'stores', indexes: [{ name: 'old', key: { name: -1 } }] }");
        await RunAsync(database, "{ collMod: 'stores', index: { name: 'old', hidden: true } }");
        _time.Advance(TimeSpan.FromHours(23.5));
        Assert.Equal(IndexOutcomeKind.Left, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
        _time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(IndexOutcomeKind.Dropped, Assert.Single(await ApplyAsync(database, Removal)).Outcome);
    }

    private async Task<IMongoDatabase> NewAsync(params string[] indexes)
    {
        var database = server.NewDatabase();
        await RunAsync(database, $"{{ createIndexes: 'stores', indexes: [{string.Join(", ", indexes)}] }}");
        return database;
    }

    private static Task<BsonDocument> RunAsync(IMongoDatabase database, string command) =>
        database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), cancellationToken: Cancel);

    private static async Task<IReadOnlyList<IndexChange>> CompareAsync(IMongoDatabase database)
    {
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, Cancel);
        return [.. IndexPlanner.Compare(Stores, state.Collections[Stores.Name])];
    }

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
}
