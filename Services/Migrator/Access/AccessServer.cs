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
    private const string PasswordFiles = $"{SettingNames.Access}:PasswordFiles";
    private const string Addresses = $"{SettingNames.Access}:Addresses";

    private IMongoDatabase Admin => database.Client.GetDatabase("admin");

    private string DatabaseName => database.DatabaseNamespace.DatabaseName;

    /// <summary>How they differ from the catalogue.</summary>
    /// <exception cref="JobRefusedException">The user of the connection string may not look at them, or a setting is wrong.</exception>
    public async Task<IReadOnlyList<AccessStep>> CompareAsync(CancellationToken cancellationToken)
    {
        if (AddressRange.ListOf(configuration[Addresses]) is null)
        {
            throw new JobRefusedException($"{Addresses} must be addresses and networks separated by semicolons, such as 10.0.0.7;10.1.0.0/16.");
        }

        var addresses = AddressRange.Entries(configuration[Addresses]);
        try
        {
            var roles = await Admin.RunCommandAsync<BsonDocument>(
                new BsonDocument { { "rolesInfo", 1 }, { "showPrivileges", true } }, ReadPreference.Primary, cancellationToken);
            var users = (await UsersAsync(1)).ToList();
            if (addresses.Count > 0)
            {
                // From where somebody may log in is told only of who is asked for by name.
                var known = users.Select(user => user["user"].AsString).ToHashSet(StringComparer.Ordinal);
                var ours = AccessCatalogue.All.Select(principal => principal.UserOf(DatabaseName)).Where(known.Contains)
                    .Select(name => new BsonDocument { { "user", name }, { "db", "admin" } }).ToList();
                var named = ours.Count == 0 ? [] : await UsersAsync(new BsonArray(ours), new BsonElement("showAuthenticationRestrictions", true));
                users = [.. named, .. users.ExceptBy(named.Select(user => user["user"]), user => user["user"])];
            }

            var viewsNamed = new BsonDocument("name", new BsonDocument("$in", new BsonArray(AccessCatalogue.Views.Keys)));
            using var views = await database.ListCollectionsAsync(new ListCollectionsOptions { Filter = viewsNamed }, cancellationToken);
            return new AccessPlanner(AccessCatalogue.All, DatabaseName, addresses).Compare(
                roles["roles"].AsBsonArray.Cast<BsonDocument>(), users, await views.ToListAsync(cancellationToken));
        }
        catch (MongoCommandException exception) when (ServerLimits.IsUnauthorized(exception))
        {
            throw new JobRefusedException(
                "The user of the connection string may not look at users and roles: 'access' needs viewUser and viewRole on admin, as the migrator's user "
                    + "has.");
        }

        async Task<IReadOnlyList<BsonDocument>> UsersAsync(BsonValue which, params IEnumerable<BsonElement> options)
        {
            var command = new BsonDocument("usersInfo", which).AddRange(options);
            var answer = await Admin.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);
            return [.. answer["users"].AsBsonArray.Cast<BsonDocument>()];
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

    // Of a file, the last: while a password is being replaced there are two, programs know both, and the last is the one that stays.
    private string? PasswordOf(Principal principal)
    {
        if (configuration[$"{PasswordFiles}:{principal.Name}"] is not { Length: > 0 } file)
        {
            return configuration[$"{Passwords}:{principal.Name}"] is { Length: > 0 } password ? password : null;
        }

        try
        {
            return new PasswordFile(file).Read()[^1];
        }
        catch (InvalidDataException exception)
        {
            throw new JobRefusedException(exception.Message);
        }
    }

    private Task<BsonDocument> RunAsync(BsonDocument command, string on, CancellationToken cancellationToken) =>
        database.Client.GetDatabase(on).RunCommandAsync<BsonDocument>(
        new BsonDocument(command).Add("writeConcern", new BsonDocument("w", "majority")), ReadPreference.Primary, cancellationToken);
}
