using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Server.Data;

/// <summary>The guard at the driver, on a server.</summary>
public sealed class TargetingGuardTests(MongoServer server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_without_the_tenant_is_refused_before_it_is_sent_and_the_connection_serves_the_next()
    {
        var name = server.NewDatabase().DatabaseNamespace.DatabaseName;
        using var host = Build(CommandGuardMode.Refuse);
        var users = host.Services.GetRequiredService<IMongoClient>().GetDatabase(name).GetCollection<BsonDocument>("users");
        var tenant = ObjectId.GenerateNewId();
        await users.InsertOneAsync(new BsonDocument { { "tenantId", tenant }, { "email", "a" } }, cancellationToken: Token);
        for (var i = 0; i < 200; i++)
        {
            await Assert.ThrowsAsync<UntargetedCommandException>(() => users.DeleteManyAsync(new BsonDocument(), Token));
            await Assert.ThrowsAsync<UntargetedCommandException>(() => users.Find(new BsonDocument()).ToListAsync(Token));
        }

        Assert.Equal("a", (await users.Find(new BsonDocument("tenantId", tenant)).SingleAsync(Token))["email"]);
    }

    [Fact]
    public async Task A_transaction_with_a_refused_command_is_taken_back_and_the_next_one_commits()
    {
        var name = server.NewDatabase(MongoFeature.Transactions).DatabaseNamespace.DatabaseName;
        using var host = Build(CommandGuardMode.Refuse);
        var database = new PlatformDatabase(host.Services.GetRequiredService<IMongoClient>().GetDatabase(name));
        var users = database.Database.GetCollection<BsonDocument>("users");
        await database.Database.CreateCollectionAsync("users", cancellationToken: Token);
        var tenant = ObjectId.GenerateNewId();
        await Assert.ThrowsAsync<UntargetedCommandException>(() => WriteAsync(targeted: false));
        Assert.Equal(0, await users.CountDocumentsAsync(new BsonDocument("tenantId", tenant), cancellationToken: Token));
        await WriteAsync(targeted: true);
        Assert.Equal(1, await users.CountDocumentsAsync(new BsonDocument("tenantId", tenant), cancellationToken: Token));

        Task<bool> WriteAsync(bool targeted) => database.TransactAsync(
            async (session, token) =>
            {
                await users.InsertOneAsync(session, new BsonDocument("tenantId", tenant), cancellationToken: token);
                await users.UpdateManyAsync(
                    session,
                    targeted ? new BsonDocument("tenantId", tenant) : [],
                    new BsonDocument("$set", new BsonDocument("x", 1)),
                    cancellationToken: token);
                return true;
            },
            Token);
    }

    [Fact]
    public async Task In_production_it_is_sent()
    {
        var name = server.NewDatabase().DatabaseNamespace.DatabaseName;
        using var host = Build(CommandGuardMode.Count);
        Assert.Empty(await host.Services.GetRequiredService<IMongoClient>().GetDatabase(name).GetCollection<BsonDocument>("users")
            .Find(new BsonDocument()).ToListAsync(Token));
    }

    private IHost Build(CommandGuardMode mode)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = [], ApplicationName = "tests" });
        builder.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:platform", server.ConnectionString), new($"{CommandGuardOptions.Section}:Mode", mode.ToString())]);
        builder.AddPlatformData();
        builder.AddTargetingGuard();
        return builder.Build();
    }
}
