using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Access;
using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary><c>migrator access</c> on a server: it makes users and roles what the catalogue says, and tells where they are not.</summary>
public sealed class AccessCommandTests(MongoServer server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Apply_makes_what_plan_shows_and_status_tells_what_has_changed_since()
    {
        var database = server.NewDatabase(MongoFeature.Users);
        var name = database.DatabaseNamespace.DatabaseName;
        try
        {
            var refused = (await RunAsync(database, "access apply")).Expect(ExitCodes.Refused);
            Assert.Contains("Access__Passwords__api", refused.Errors, StringComparison.Ordinal);
            var plan = (await RunAsync(database, "access plan")).Expect(ExitCodes.Success).Output;
            Assert.All(AccessCatalogue.All, principal => Assert.Contains($"The user of {principal.Name} is missing.", plan, StringComparison.Ordinal));
            (await RunAsync(database, "access status")).Expect(ExitCodes.Refused);

            (await ApplyAsync(database, "first")).Expect(ExitCodes.Success);
            (await RunAsync(database, "access status")).Expect(ExitCodes.Success);
            (await ApplyAsync(database, "second")).Expect(ExitCodes.Success);
            foreach (var principal in AccessCatalogue.All)
            {
                using var client = new MongoClient(server.ConnectionStringOf(principal.UserOf(name), "second", database));
                var known = await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("connectionStatus", 1), null, Token);
                Assert.Equal(principal.UserOf(name), known["authInfo"]["authenticatedUsers"][0]["user"]);
            }

            var admin = server.Client.GetDatabase("admin");
            await admin.RunCommandAsync<BsonDocument>(
                new BsonDocument
                {
                    { "grantRolesToUser", $"{name}-api" }, { "roles", new BsonArray { new BsonDocument { { "role", "read" }, { "db", name } } } },
                },
                null, Token);
            var drift = (await RunAsync(database, "access status")).Expect(ExitCodes.Refused);
            Assert.Contains($"{name}-api: The user of api differs: has read@{name}.", drift.Output, StringComparison.Ordinal);

            // The migrator sees it as well, and may not mend it.
            var migrator = server.ConnectionStringOf($"{name}-migrator", "second", database);
            (await JobProgram.Migrator.RunAsync(migrator, "access status", Token)).Expect(ExitCodes.Refused);
            var denied = (await JobProgram.Migrator.RunAsync(migrator, "access apply", Token)).Expect(ExitCodes.Refused);
            Assert.Contains("is for the administrator", denied.Errors, StringComparison.Ordinal);
            var blind = (await JobProgram.Migrator.RunAsync(server.ConnectionStringOf($"{name}-api", "second", database), "access plan", Token))
                .Expect(ExitCodes.Refused);
            Assert.Contains("viewUser and viewRole", blind.Errors, StringComparison.Ordinal);
            (await RunAsync(database, "access apply")).Expect(ExitCodes.Success);
            (await RunAsync(database, "access status")).Expect(ExitCodes.Success);
        }
        finally
        {
            await RemoveAsync(name);
        }
    }

    [Fact]
    public async Task Users_log_in_from_the_addresses_that_are_set_alone()
    {
        var database = server.NewDatabase(MongoFeature.Users);
        var name = database.DatabaseNamespace.DatabaseName;
        try
        {
            (await ApplyAsync(database, "secret")).Expect(ExitCodes.Success);
            Assert.True(await LogsInAsync());
            (await RunAsync(database, "access status", "10.99.0.0/16")).Expect(ExitCodes.Refused);
            (await RunAsync(database, "access apply", "10.99.0.0/16")).Expect(ExitCodes.Success);
            (await RunAsync(database, "access status", "10.99.0.0/16")).Expect(ExitCodes.Success);
            Assert.False(await LogsInAsync());
            // Where nothing is set, what was set by hand stays.
            (await RunAsync(database, "access apply")).Expect(ExitCodes.Success);
            Assert.False(await LogsInAsync());
            (await RunAsync(database, "access apply", "0.0.0.0/0;::/0")).Expect(ExitCodes.Success);
            Assert.True(await LogsInAsync());
            var wrong = (await RunAsync(database, "access plan", "here")).Expect(ExitCodes.Refused);
            Assert.Contains("Access:Addresses must be addresses and networks", wrong.Errors, StringComparison.Ordinal);
        }
        finally
        {
            await RemoveAsync(name);
        }

        async Task<bool> LogsInAsync()
        {
            var settings = MongoClientSettings.FromConnectionString(server.ConnectionStringOf($"{name}-api", "secret", database));
            // Connections of its own: clients with the same settings share theirs, which have logged in.
            settings.ApplicationName = Guid.NewGuid().ToString("N");
            using var client = new MongoClient(settings);
            try
            {
                await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(new BsonDocument("connectionStatus", 1), null, Token);
                return true;
            }
            catch (MongoAuthenticationException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task The_migrators_user_migrates_and_the_seeders_user_seeds()
    {
        var database = server.NewDatabase(MongoFeature.Users);
        var name = database.DatabaseNamespace.DatabaseName;
        try
        {
            (await ApplyAsync(database, "secret")).Expect(ExitCodes.Success);
            var migrator = server.ConnectionStringOf($"{name}-migrator", "secret", database);
            (await JobProgram.Migrator.RunAsync(migrator, "up", Token)).Expect(ExitCodes.Success);
            (await JobProgram.Migrator.RunAsync(migrator, "verify", Token)).Expect(ExitCodes.Success);
            (await JobProgram.Migrator.RunAsync(migrator, "indexes status", Token)).Expect(ExitCodes.Success);
            (await JobProgram.Migrator.RunAsync(migrator, "indexes usage", Token)).Expect(ExitCodes.Success);
            (await JobProgram.Migrator.RunAsync(migrator, "indexes advise", Token)).Expect(ExitCodes.Success);
            var seeder = server.ConnectionStringOf($"{name}-seeder", "secret", database);
            (await JobProgram.Seeder.RunAsync(seeder, "run --tenants 1", Token)).Expect(ExitCodes.Success);
            (await JobProgram.Seeder.RunAsync(seeder, "verify", Token)).Expect(ExitCodes.Success);
            (await JobProgram.Seeder.RunAsync(seeder, "clean", Token)).Expect(ExitCodes.Success);
        }
        finally
        {
            await RemoveAsync(name);
        }
    }

    private Task<ProgramResult> RunAsync(IMongoDatabase database, string arguments, string? addresses = null) =>
        JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), arguments, Token, (SettingNames.AccessAddresses, addresses));

    private Task<ProgramResult> ApplyAsync(IMongoDatabase database, string password) => JobProgram.Migrator.RunAsync(
        server.ConnectionStringOf(database), "access apply", Token,
        [.. AccessCatalogue.All.Select(principal => (SettingNames.PasswordOf(principal.Name), (string?)password))]);

    private async Task RemoveAsync(string database)
    {
        var admin = server.Client.GetDatabase("admin");
        foreach (var principal in AccessCatalogue.All)
        {
            foreach (var command in (string[])["dropUser", "dropRole"])
            {
                try
                {
                    await admin.RunCommandAsync<BsonDocument>(new BsonDocument(command, principal.UserOf(database)), null, CancellationToken.None);
                }
                catch (MongoCommandException exception) when (exception.Code is 11 or 31)
                {
                    // The test did not come to make it.
                }
            }
        }
    }
}
