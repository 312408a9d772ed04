using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
public sealed class DropUnaskedIndexesTests(MongoServer server) : MigrationContract(server)
{
    protected override int Number => 6;

    // As the first release made them; one was made anew with other keys by hand, and is not ours any more.
    protected override async Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, cancellationToken);
        Assert.Equal(8, Unknown(state).Count);
        var orders = database.GetCollection<BsonDocument>(CollectionNames.Orders).Indexes;
        await orders.CreateOneAsync(
            new CreateIndexModel<BsonDocument>(new BsonDocument { { "tenantId", 1 }, { "currency", 1 } }, new CreateIndexOptions { Name = "tenant_currency" }),
            cancellationToken: cancellationToken);
    }

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: false, cancellationToken);
        Assert.Equal(["orders.tenant_currency"], Unknown(state));
    }

    private static IReadOnlyList<string> Unknown(DatabaseState state) =>
    [
        .. IndexPlanner.Compare(CollectionCatalogue.All, state)
            .Where(change => change.Kind == IndexChangeKind.Unknown)
            .Select(change => $"{change.Collection}.{change.ExistingName}"),
    ];
}
