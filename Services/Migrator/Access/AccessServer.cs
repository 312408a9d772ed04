using Microsoft.Extensions.Configuration;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Access;
using Platform.Jobs;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Access;

/// <summary>The users and roles of the server.</summary>
internal sealed class AccessServer(IMongoDatabase database, IConfiguration configuration)
{
    private const string Passwords = $"{SettingNames.Access}:Passwords";

    private IMongoDatabase Admin => database.Client.GetDatabase("admin");

    private string DatabaseName => database.DatabaseNamespace.DatabaseName;

    /// <summary>How they differ from the catalogue.</summary>
    /// <exception cref="JobRefusedException">The user of the connection string may not look at them.</exception>
    public async Task<IReadOnlyList<AccessStep>> CompareAsync(CancellationToken cancellationToken)
    {
        try
        {
            var roles = await Admin.RunCommandAsync<BsonDocument>(
                new BsonDocument { { "rolesInfo", 1 }, { "showPrivileges", true } }, ReadPreference.Primary, cancellationToken);
            var users = await Admin.RunCommandAsync<BsonDocument>(new BsonDocument("usersInfo", 1), ReadPreference.Primary, cancellationToken);
            var named = new BsonDocument("name", new BsonDocument("$in", new BsonArray(AccessCatalogue.Views.Keys)));
            using var views = await database.ListCollectionsAsync(new ListCollectionsOptions { Filter = named }, cancellationToken);
            return new AccessPlanner(AccessCatalogue.All, DatabaseName).Compare(
                roles["roles"].AsBsonArray.Cast<BsonDocument>(), users["users"].AsBsonArray.Cast<BsonDocument>(), await views.ToListAsync(cancellationToken));
        }
        catch (MongoCommandException exception) when (ServerLimits.IsUnauthorized(exception))
        {
            throw new JobRefusedException(
                "The user of the connection string may not look at users and roles: 'access' needs viewUser and viewRole on admin, as the migrator's user "
                    + "has.");
        }
    }

    /// <summary>Mends differences, and gives each user the password that the settings have for it.</summary>
    /// <returns>What is left, because nobody but a person may remove it.</returns>
    /// <exception cref="JobRefusedException">A user is to be made and has no password, or the user of the connection string may not make any.</exception>
    public async Task<IReadOnlyList<AccessStep>> MendAsync(IReadOnlyList<AccessStep> steps, CancellationToken cancellationToken)
    {
        var missing = AccessCatalogue.All.Where(principal => PasswordOf(principal) is null
            && steps.Any(step => step.Kind == AccessStepKind.UserMissing && step.Name == principal.UserOf(DatabaseName))).ToList();
        if (missing.Count > 0)
        {
            throw new JobRefusedException(
                $"New users need passwords: set {string.Join(", ", missing.Select(principal => SettingNames.PasswordOf(principal.Name)))}.");
        }

        try
        {
            foreach (var step in steps.Where(step => step.Command is not null))
            {
                await RunAsync(
                    step.Kind == AccessStepKind.UserMissing
                        ? new BsonDocument(step.Command).Add("pwd", PasswordOf(AccessCatalogue.All.Single(p => p.UserOf(DatabaseName) == step.Name)))
                        : step.Command!,
                    step.Database,
                    cancellationToken);
            }

            foreach (var principal in AccessCatalogue.All.Where(principal => PasswordOf(principal) is not null))
            {
                var user = principal.UserOf(DatabaseName);
                if (!steps.Any(step => step.Kind == AccessStepKind.UserMissing && step.Name == user))
                {
                    await RunAsync(new BsonDocument { { "updateUser", user }, { "pwd", PasswordOf(principal) } }, "admin", cancellationToken);
                }
            }
        }
        catch (MongoCommandException exception) when (ServerLimits.IsUnauthorized(exception))
        {
            throw new JobRefusedException(
                "The user of the connection string may not make users and roles: 'access apply' is for the administrator (userAdminAnyDatabase or root).");
        }

        return [.. steps.Where(step => step.Command is null)];
    }

    private string? PasswordOf(Principal principal) => configuration[$"{Passwords}:{principal.Name}"] is { Length: > 0 } password ? password : null;

    private Task<BsonDocument> RunAsync(BsonDocument command, string on, CancellationToken cancellationToken) =>
        database.Client.GetDatabase(on).RunCommandAsync<BsonDocument>(
        new BsonDocument(command).Add("writeConcern", new BsonDocument("w", "majority")), ReadPreference.Primary, cancellationToken);
}
