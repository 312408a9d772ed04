using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>What <c>system.profile</c> tells of how commands found their documents.</summary>
[Collection(CommandsCollection.Name)]
public sealed class ProfileTests(GatewayFixture gateway)
{
    private const int Documents = 300;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_tells_what_it_read_and_a_write_is_done_once_all_the_same()
    {
        var database = await DatabaseAsync();
        await RunAsync(database, "{ createIndexes: 'c', indexes: [{ name: 'a_1', key: { a: 1 } }] }");
        await RunAsync(database, "{ profile: 2 }");
        // Each is read again after it was done: with the documents that there are then.
        await RunAsync(database, "{ update: 'c', updates: [{ q: { b: { $gte: 0 } }, u: { $inc: { n: 1 } }, multi: true }] }");
        Assert.Equal((Documents, false, "COLLSCAN"), await ToldAsync(database, "{ 'command.update': 'c' }"));
        await RunAsync(database, "{ delete: 'c', deletes: [{ q: { b: 7 }, limit: 1 }] }");
        await ToldAsync(database, "{ 'command.delete': 'c' }");
        await RunAsync(database, "{ findAndModify: 'c', query: { b: 8 }, update: { $inc: { n: 1 } } }");
        await ToldAsync(database, "{ 'command.findAndModify': 'c' }");
        await RunAsync(database, "{ find: 'c', filter: { b: { $lt: 10 } }, sort: { n: 1 } }");
        Assert.Equal((Documents - 1, true, "COLLSCAN"), await ToldAsync(database, "{ 'command.find': 'c', 'command.filter.b': { $exists: true } }"));
        await RunAsync(database, "{ find: 'c', filter: {}, sort: { a: 1 }, hint: 'a_1', limit: 3 }");
        var (read, sorted, plan) = await ToldAsync(database, "{ 'command.find': 'c', 'command.hint': 'a_1' }");
        Assert.Equal((false, "IXSCAN { \"a\" : 1 }"), (sorted, plan));
        Assert.InRange(read, 3, 10);
        await RunAsync(database, "{ aggregate: 'c', pipeline: [{ $match: { b: 9 } }, { $group: { _id: '$b', n: { $sum: '$n' } } }], cursor: {} }");
        Assert.Equal((Documents - 1, false, "COLLSCAN"), await ToldAsync(database, "{ 'command.pipeline.$group': { $exists: true } }"));
        await RunAsync(database, "{ aggregate: 'c', pipeline: [{ $match: { b: 9 } }, { $out: 'x' }], cursor: {} }");
        await ToldAsync(database, "{ 'command.pipeline.$out': 'x' }");

        // Reading again what they read changed nothing.
        await RunAsync(database, "{ profile: 0 }");
        var left = await database.GetCollection<BsonDocument>("c").Find("{}").ToListAsync(Cancel);
        Assert.Equal(Documents - 1, left.Count);
        Assert.All(left, document => Assert.Equal(document["b"] == 8 ? 2 : 1, document["n"].ToInt32()));
        Assert.Equal(1, await database.GetCollection<BsonDocument>("x").CountDocumentsAsync("{}", null, Cancel));
    }

    [Fact]
    public async Task Of_commands_of_one_shape_one_is_counted_and_of_an_open_cursor_what_the_client_has()
    {
        var database = await DatabaseAsync();
        await RunAsync(database, "{ profile: 2 }");
        for (var i = 0; i < 5; i++)
        {
            await RunAsync(database, $"{{ find: 'c', filter: {{ b: {i} }} }}");
        }

        await RunAsync(database, "{ find: 'c', filter: { b: { $gte: 0 } }, batchSize: 10 }");
        var (read, _, _) = await ToldAsync(database, "{ 'command.find': 'c', 'command.batchSize': 10 }");
        Assert.InRange(read, 10, Documents / 2);

        var alike = await database.GetCollection<BsonDocument>("system.profile").Find("{ 'command.find': 'c', 'command.batchSize': { $exists: false } }")
            .ToListAsync(Cancel);
        Assert.Equal(5, alike.Count(entry => entry.Contains("planSummary")));
        Assert.Equal(Documents, Assert.Single(alike, entry => entry.Contains("docsExamined"))["docsExamined"].ToInt32());
    }

    private static Task<BsonDocument> RunAsync(IMongoDatabase database, string command) =>
        database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), cancellationToken: Cancel);

    // Entries are stored some time after their commands, in the order of these.
    private static async Task<(int Read, bool Sorted, string Plan)> ToldAsync(IMongoDatabase database, string filter)
    {
        BsonDocument? entry = null;
        await Wait.UntilAsync(
            async () => (entry = await database.GetCollection<BsonDocument>("system.profile").Find(filter).FirstOrDefaultAsync(Cancel)) is not null,
            $"{filter} is in the profile", Cancel);
        Assert.True(entry!.Contains("docsExamined"), entry.ToJson());
        return (entry["docsExamined"].ToInt32(), entry.GetValue("hasSortStage", false).AsBoolean, entry["planSummary"].AsString);
    }

    private async Task<IMongoDatabase> DatabaseAsync()
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertManyAsync(
            Enumerable.Range(0, Documents).Select(i => new BsonDocument { { "_id", i }, { "a", i }, { "b", i } }), cancellationToken: Cancel);
        return database;
    }
}
