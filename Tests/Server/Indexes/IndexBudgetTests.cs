using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Server.Indexes;

public sealed class IndexBudgetTests(MongoServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_index_over_its_budget_ends_maintain_with_2_and_is_named()
    {
        var database = server.NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        (await MaintainAsync(database)).Expect(ExitCodes.Success);

        // A thousand texts that do not compress, in an index that may take 300 bytes for each.
        var random = new Random(1);
        await database.GetCollection<BsonDocument>(CollectionNames.Categories).InsertManyAsync(
            Enumerable.Range(0, 1000).Select(_ => new BsonDocument
            {
                { "tenantId", ObjectId.GenerateNewId() },
                { "slug", string.Concat(Enumerable.Range(0, 1000).Select(_ => (char)random.Next('a', 'z' + 1))) },
            }),
            new InsertManyOptions { BypassDocumentValidation = true },
            Cancel);
        var over = (await MaintainAsync(database)).Expect(ExitCodes.Refused);
        Assert.Contains("rebuild: categories.tenant_slug", over.Output, StringComparison.Ordinal);
        Assert.Contains("bytes for a document and may take 300", over.Output, StringComparison.Ordinal);
        Assert.Contains("the budget is exceeded.", over.Output, StringComparison.Ordinal);

        // Gone with what took the room, as soon as no member has a reader left that may still see it.
        await database.GetCollection<BsonDocument>(CollectionNames.Categories).DeleteManyAsync(FilterDefinition<BsonDocument>.Empty, Cancel);
        await Wait.UntilAsync(
            async () => (await RunAsync(database, "indexes maintain --rebuild categories")).ExitCode == ExitCodes.Success,
            "the indexes that were built anew are within their budgets",
            Cancel);
    }

    private Task<ProgramResult> MaintainAsync(IMongoDatabase database) => RunAsync(database, "indexes maintain");

    private Task<ProgramResult> RunAsync(IMongoDatabase database, string arguments) =>
        JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), arguments, Cancel);
}
