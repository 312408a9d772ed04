using MongoDB.Bson;
using Platform.Data.Access;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Access;

/// <summary>Compares the users and roles of a server with the access catalogue.</summary>
/// <param name="principals">Who there should be.</param>
/// <param name="database">The platform's database.</param>
/// <param name="addresses">From where users may log in, as MongoDB's <c>clientSource</c> takes them; none: that is left as it is.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/method/db.createUser/#authentication-restrictions"/></remarks>
internal sealed class AccessPlanner(IReadOnlyList<Principal> principals, string database, params IReadOnlyList<string> addresses)
{
    private const string Admin = "admin";
    private const string Restrictions = "authenticationRestrictions";
    private const string Source = "clientSource";

    /// <summary>The differences, roles before the users who have them.</summary>
    /// <param name="roles">What <c>rolesInfo</c> tells of <c>admin</c>, with privileges.</param>
    /// <param name="users">What <c>usersInfo</c> tells of <c>admin</c>.</param>
    /// <param name="collections">What <c>listCollections</c> tells of the database's views.</param>
    public IReadOnlyList<AccessStep> Compare(IEnumerable<BsonDocument> roles, IEnumerable<BsonDocument> users, IEnumerable<BsonDocument> collections)
    {
        var viewsThere = collections.ToDictionary(collection => collection["name"].AsString, StringComparer.Ordinal);
        var rolesThere = roles.ToDictionary(role => role["role"].AsString, StringComparer.Ordinal);
        var usersThere = users.ToDictionary(user => user["user"].AsString, StringComparer.Ordinal);
        var names = principals.Select(principal => principal.UserOf(database)).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. AccessCatalogue.Views.Select(view => View(view.Key, view.Value, viewsThere.GetValueOrDefault(view.Key))).OfType<AccessStep>(),
            .. principals.Where(principal => principal.Grants.Count > 0)
                .Select(principal => Role(principal, rolesThere.GetValueOrDefault(principal.UserOf(database)))).OfType<AccessStep>(),
            .. principals.Select(principal => User(principal, usersThere.GetValueOrDefault(principal.UserOf(database)))).OfType<AccessStep>(),
            .. Unknown(usersThere.Keys, "user"), .. Unknown(rolesThere.Keys, "role"),
        ];

        IEnumerable<AccessStep> Unknown(IEnumerable<string> there, string what) => there
            .Where(name => name.StartsWith(MongoNames.UserOf(database, ""), StringComparison.Ordinal) && !names.Contains(name)).Order(StringComparer.Ordinal)
            .Select(name => new AccessStep(AccessStepKind.Unknown, name, $"The {what} is not in the catalogue.", Command: null));
    }

    /// <summary>The privileges of a principal's own role, as commands name them.</summary>
    public BsonArray Privileges(Principal principal)
    {
        var actions = new SortedDictionary<string, (BsonDocument Resource, SortedSet<string> Actions)>(StringComparer.Ordinal);
        foreach (var grant in principal.Grants)
        {
            foreach (var resource in Resources(grant))
            {
                var key = Key(resource);
                if (!actions.TryGetValue(key, out var there))
                {
                    actions[key] = there = (resource, new(StringComparer.Ordinal));
                }

                there.Actions.UnionWith(grant.Actions);
            }
        }

        return new BsonArray(actions.Values.Select(privilege => new BsonDocument
        {
            { "resource", privilege.Resource }, { "actions", new BsonArray(privilege.Actions) },
        }));
    }

    /// <summary>The roles of a principal's user.</summary>
    public BsonArray Roles(Principal principal)
    {
        var own = principal.Grants.Count == 0 ? [] : new[] { (principal.UserOf(database), Admin) };
        return new BsonArray(own
            .Concat(principal.DatabaseRoles.Select(role => (role, database)))
            .Concat(principal.ClusterRoles.Select(role => (role, Admin)))
            .Select(role => new BsonDocument { { "role", role.Item1 }, { "db", role.Item2 } }));
    }

    private AccessStep? View(string name, ViewDefinition view, BsonDocument? there)
    {
        var definition = new BsonDocument { { "viewOn", view.On }, { "pipeline", new BsonArray(view.Pipeline) } };
        if (there is null)
        {
            return new(AccessStepKind.View, name, $"The view of {view.On} is missing.", new BsonDocument("create", name).Merge(definition))
            {
                Database = database,
            };
        }

        var found = there.GetValue("options", new BsonDocument()).AsBsonDocument;
        return found.GetValue("viewOn", "") == view.On && found.GetValue("pipeline", new BsonArray()) == definition["pipeline"] ? null
            : found.Contains("viewOn")
                ? new(AccessStepKind.View, name, $"The view of {view.On} shows something else.", new BsonDocument("collMod", name).Merge(definition))
                {
                    Database = database,
                }
                : new(AccessStepKind.View, name, $"It is a collection and should be a view of {view.On}; drop it.", Command: null);
    }

    private AccessStep? Role(Principal principal, BsonDocument? there)
    {
        var name = principal.UserOf(database);
        var privileges = Privileges(principal);
        if (there is null)
        {
            return new(AccessStepKind.RoleMissing, name, $"The role of {principal.Name} is missing.", new BsonDocument
            {
                { "createRole", name }, { "privileges", privileges }, { "roles", new BsonArray() },
            });
        }

        var (wanted, found) = (Flat(privileges), Flat(there["privileges"].AsBsonArray));
        var inherited = there["roles"].AsBsonArray.Select(Text).Order(StringComparer.Ordinal).ToList();
        var differences = Differences(wanted, found).Concat(inherited.Select(role => $"inherits {role}")).ToList();
        return differences.Count == 0 ? null : new(
            AccessStepKind.RoleDiffers, name, $"The role of {principal.Name} differs: {string.Join("; ", differences)}.", new BsonDocument
            {
                { "updateRole", name }, { "privileges", privileges }, { "roles", new BsonArray() },
            });
    }

    private AccessStep? User(Principal principal, BsonDocument? there)
    {
        var name = principal.UserOf(database);
        var roles = Roles(principal);
        if (there is null)
        {
            return new(AccessStepKind.UserMissing, name, $"The user of {principal.Name} is missing.", Command("createUser"));
        }

        var differences = Differences(
            roles.Select(Text).ToHashSet(StringComparer.Ordinal), there["roles"].AsBsonArray.Select(Text).ToHashSet(StringComparer.Ordinal))
            .Concat(addresses.Count == 0 ? [] : Differences(Flat(Allowed(), Sources), Flat(there.GetValue(Restrictions, new BsonArray()).AsBsonArray, Sources)))
            .ToList();
        return differences.Count == 0 ? null : new(
            AccessStepKind.UserDiffers, name, $"The user of {principal.Name} differs: {string.Join("; ", differences)}.", Command("updateUser"));

        BsonDocument Command(string command)
        {
            var document = new BsonDocument { { command, name }, { "roles", roles } };
            return addresses.Count == 0 ? document : document.Add(Restrictions, Allowed());
        }
    }

    private BsonArray Allowed() => [new BsonDocument(Source, new BsonArray(addresses))];

    // Whoever may log in from anywhere lacks all of them; a restriction of another kind is one too many.
    private static IEnumerable<string> Sources(BsonValue restriction) => restriction.AsBsonDocument.SelectMany(field =>
        (field.Value is BsonArray several ? several : [field.Value]).Select(value => $"{(field.Name == Source ? "login from" : field.Name)} {value}"));

    private static HashSet<string> Flat(BsonArray values, Func<BsonValue, IEnumerable<string>> names) =>
        values.SelectMany(names).ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<string> Differences(HashSet<string> wanted, HashSet<string> found) =>
        wanted.Except(found).Order(StringComparer.Ordinal).Select(one => $"lacks {one}")
            .Concat(found.Except(wanted).Order(StringComparer.Ordinal).Select(one => $"has {one}"));

    private static HashSet<string> Flat(BsonArray privileges) => privileges
        .SelectMany(privilege => privilege["actions"].AsBsonArray.Select(action => $"{action.AsString} on {Key(privilege["resource"].AsBsonDocument)}"))
        .ToHashSet(StringComparer.Ordinal);

    private static string Text(BsonValue role) => $"{role["role"].AsString}@{role["db"].AsString}";

    private static string Key(BsonDocument resource) =>
        resource.TryGetValue("db", out var db)
            ? $"{(db.AsString.Length == 0 ? "*" : db.AsString)}.{(resource["collection"].AsString is { Length: > 0 } collection ? collection : "*")}"
            : resource.Contains("cluster") ? "the cluster" : "everything";

    private IEnumerable<BsonDocument> Resources(Grant grant) => grant.On switch
    {
        GrantTarget.Cluster => [new BsonDocument("cluster", true)],
        GrantTarget.Database => [Of(database, "")],
        GrantTarget.Users => [Of(Admin, "")],
        _ => grant.Collections.Select(collection => Of(database, collection)),
    };

    private static BsonDocument Of(string database, string collection) => new() { { "db", database }, { "collection", collection } };
}
