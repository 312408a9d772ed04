using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Seeder.Generation;
using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>The seeder keeps away from data that is not its own.</summary>
public sealed class SeederRefusalTests(MongoServer server) : SeederCommandTests(server)
{
    [Fact]
    public async Task A_database_that_is_not_marked_as_development_is_refused_and_untouched()
    {
        var database = await MigratedAsync();
        var own = await AddTenantAsync(database);
        await RefusedAsync($"The database '{Name(database)}' is not marked as development");

        // A person marks it who types its name; then it works.
        (await RunAsync(database, "mark", "platform")).Expect(ExitCodes.Refused);
        await RefusedAsync("is not marked as development");
        await DoneAsync(database, "mark", Name(database), "--as", "production");
        await RefusedAsync("is marked as production");
        (await RunAsync(database, "mark", Name(database))).Expect(ExitCodes.Refused);
        await Collection(database, CollectionNames.Environment).DeleteManyAsync(FilterDefinition<BsonDocument>.Empty, Cancel);
        await DoneAsync(database, "mark", Name(database));
        await DoneAsync(database, "run", "--tenants", "1");

        async Task RefusedAsync(string sentence)
        {
            foreach (var command in new[] { "run", "clean" })
            {
                Assert.Contains(sentence, (await RunAsync(database, command)).Expect(ExitCodes.Refused).Sentence, StringComparison.Ordinal);
            }

            Assert.Equal(own, await Collection(database, CollectionNames.Tenants).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync(Cancel));
            Assert.Equal(
                0, await Collection(database, CollectionNames.SeedMarker).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Production")]
    public async Task The_environment_Production_is_refused_also_when_the_database_is_marked_as_development(string? environment)
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "mark", Name(database));
        foreach (var arguments in new string[][] { ["run"], [], ["clean"], ["mark", Name(database)] })
        {
            var refused = (await JobProgram.Seeder.RunAsync(ConnectionStringOf(database), arguments, Cancel, ("DOTNET_ENVIRONMENT", environment))).Expect(
                ExitCodes.Refused);
            Assert.StartsWith("seeder: The environment is Production, where made-up data does not belong", refused.Sentence, StringComparison.Ordinal);
        }

        Assert.Equal(
            0, await Collection(database, CollectionNames.Tenants).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, cancellationToken: Cancel));
    }

    [Fact]
    public async Task A_document_made_by_hand_with_the_same_unique_key_is_named()
    {
        var database = await MigratedAsync();
        await DoneAsync(database, "run", "--tenants", "1");
        await DoneAsync(database, "clean");
        await Collection(database, CollectionNames.Users).InsertOneAsync(
            new BsonDocument
            {
                { "_id", ObjectId.GenerateNewId() }, { "tenantId", SeedGenerator.TenantId(0) }, { "email", "owner@aurora-outdoor.example" },
                { "displayName", "Me" },
                { "role", "owner" }, { "status", "active" }, { "createdAt", DateTime.UtcNow }, { "updatedAt", DateTime.UtcNow },
            },
            cancellationToken: Cancel);
        var refused = (await RunAsync(database, "run", "--tenants", "1")).Expect(ExitCodes.Refused);
        Assert.StartsWith("seeder: The document 5eedc0de0200000000000000 cannot be written to users", refused.Sentence, StringComparison.Ordinal);
    }
}
