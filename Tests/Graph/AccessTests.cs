using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The services of the running graph reach the database as users of their own, who may do what they need and nothing else.</summary>
public sealed class AccessTests(StackFixture stack)
{
    private const int Unauthorized = 13;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ResourceNames.Api)]
    [InlineData(ResourceNames.Migrator)]
    [InlineData(ResourceNames.Seeder)]
    public async Task A_service_logs_in_as_its_own_user_and_knows_no_other_password(string service)
    {
        var environment = await EnvironmentOfAsync(service);
        var url = new MongoUrl(environment[$"ConnectionStrings__{ResourceNames.Database}"]);
        Assert.Equal(MongoNames.UserOf(ResourceNames.Database, service), url.Username);
        using var client = await ClientOfAsync(service);
        var status = await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("connectionStatus", 1), null, Token);
        Assert.Equal(url.Username, status["authInfo"]["authenticatedUsers"][0]["user"]);
        var root = new MongoUrl((await stack.App.GetConnectionStringAsync(ResourceNames.Database, Token))!);
        Assert.Equal(MongoNames.RootUser, root.Username);
        Assert.DoesNotContain(environment.Values, value => value.Contains(root.Password, StringComparison.Ordinal));
        Assert.NotEqual(root.Password, url.Password);
    }

    [Fact]
    public async Task The_API_is_refused_what_is_not_its_work()
    {
        using var client = await ClientOfAsync(ResourceNames.Api);
        foreach (var command in (string[])
        [
            "{ drop: 'orders' }", "{ drop: '_migrations' }", "{ dropDatabase: 1 }", "{ collMod: 'orders', validationLevel: 'off' }",
            "{ create: 'mine' }", "{ createIndexes: 'orders', indexes: [{ key: { a: 1 }, name: 'a' }] }", "{ dropIndexes: 'orders', index: '*' }",
            "{ find: '_migrations' }", "{ aggregate: 'orders', pipeline: [{ $unionWith: '_migrations' }], cursor: {} }",
            "{ aggregate: 'orders', pipeline: [{ $lookup: { from: '_migrations', pipeline: [], as: 'x' } }], cursor: {} }",
            "{ insert: '_migrations', documents: [{ _id: 'x' }] }", "{ delete: '_migrations', deletes: [{ q: {}, limit: 0 }] }",
            "{ find: 'users' }", "{ delete: 'orders', deletes: [{ q: {}, limit: 0 }] }", "{ update: 'orders', updates: [{ q: {}, u: { $set: { a: 1 } } }] }",
            "{ aggregate: 'orders', pipeline: [{ $out: 'copies' }], cursor: {} }", "{ aggregate: 1, pipeline: [{ $changeStream: {} }], cursor: {} }",
            "{ usersInfo: 1 }", "{ rolesInfo: 1 }", "{ createUser: 'x', pwd: 'x', roles: [] }", "{ profile: 2 }", "{ listCollections: 1 }",
        ])
        {
            var refused = await Assert.ThrowsAsync<MongoCommandException>(
                () => client.GetDatabase(ResourceNames.Database).RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), null, Token));
            Assert.True(refused.Code == Unauthorized, $"{command}: {refused.Message}");
        }

        foreach (var command in (string[])["{ usersInfo: 1 }", "{ createRole: 'x', privileges: [], roles: [] }", "{ serverStatus: 1 }", "{ getLog: 'global' }",
            "{ replSetStepDown: 1 }", "{ killAllSessions: [] }"])
        {
            var refused = await Assert.ThrowsAsync<MongoCommandException>(
                () => client.GetDatabase("admin").RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), null, Token));
            Assert.True(refused.Code == Unauthorized, $"{command}: {refused.Message}");
        }

        // Its health check knows of the migrations nevertheless.
        var states = client.GetDatabase(ResourceNames.Database).GetCollection<BsonDocument>(CollectionNames.MigrationStates);
        Assert.NotEmpty(await states.Find("{}").ToListAsync(Token));
        var health = await stack.Api.GetStringAsync("/health", Token);
        Assert.Contains("The database has all", health, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_migrator_owns_its_database_and_nothing_beyond_it()
    {
        using var client = await ClientOfAsync(ResourceNames.Migrator);
        var database = client.GetDatabase(ResourceNames.Database);
        await database.CreateCollectionAsync("accessTest", null, Token);
        await database.DropCollectionAsync("accessTest", Token);
        foreach (var (on, command) in ((string, string)[])
        [
            ("elsewhere", "{ insert: 'c', documents: [{ a: 1 }] }"), ("elsewhere", "{ find: 'c' }"),
            ("admin", "{ createUser: 'x', pwd: 'x', roles: ['root'] }"),
            ("admin", $"{{ updateUser: '{MongoNames.RootUser}', pwd: 'x' }}"), ("admin", $"{{ dropUser: '{MongoNames.RootUser}' }}"),
            (ResourceNames.Database, "{ createUser: 'x', pwd: 'x', roles: [{ role: 'root', db: 'admin' }] }"),
        ])
        {
            var refused = await Assert.ThrowsAsync<MongoCommandException>(
                () => client.GetDatabase(on).RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), null, Token));
            Assert.True(refused.Code == Unauthorized, $"{command}: {refused.Message}");
        }

        var result = await JobProgram.Migrator.RunAsync(ConnectionStringOf(await EnvironmentOfAsync(ResourceNames.Migrator)), "access status", Token);
        Assert.Contains("Users and roles are as the catalogue says.", result.Expect(ExitCodes.Success).Output, StringComparison.Ordinal);
    }

    private static string ConnectionStringOf(Dictionary<string, string> environment) => environment[$"ConnectionStrings__{ResourceNames.Database}"];

    private async Task<MongoClient> ClientOfAsync(string service) =>
        StackClients.Mongo(ConnectionStringOf(await EnvironmentOfAsync(service)));

    private async Task<Dictionary<string, string>> EnvironmentOfAsync(string service)
    {
        var model = stack.App.Services.GetRequiredService<DistributedApplicationModel>();
        var resource = model.Resources.Single(resource => resource.Name == service);
        var context = new EnvironmentCallbackContext(stack.App.Services.GetRequiredService<DistributedApplicationExecutionContext>(), resource);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in context.EnvironmentVariables)
        {
            values[name] = value is IValueProvider provider ? await provider.GetValueAsync(Token) ?? "" : $"{value}";
        }

        return values;
    }
}
