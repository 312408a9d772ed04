namespace Platform.Tests.TestKit.Access;

/// <summary>
/// Who may do what, as the pages of MongoDB's manual on roles and resources say it, written down here once more and read in another way than the gateway's:
/// what both say the same is tested by nothing else.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/v7.0/reference/built-in-roles/"/></remarks>
internal static class AccessOracle
{
    // A line is a role and what it inherits from, or a resource with actions of the role before it. Resources: cluster; all (any resource); * (the collections
    // that are no system's of all databases but local and config, and these databases); DB (those of one database); DB.name; *.name.
    // ROLE is the database on which the role is. Actions that no command of the gateway asks for are left out.
    private const string Table = """
        read
          ROLE changeStream collStats dbStats find listCollections listIndexes
          ROLE.system.js changeStream collStats dbStats find listCollections listIndexes
        readWrite < read
          ROLE createCollection createIndex dropCollection dropIndex insert remove renameCollectionSameDB update
          ROLE.system.js createCollection createIndex dropCollection dropIndex insert remove renameCollectionSameDB update
        dbAdmin
          ROLE bypassDocumentValidation collMod collStats compact createCollection createIndex dbStats dropCollection dropDatabase dropIndex
          ROLE enableProfiler listCollections listIndexes renameCollectionSameDB validate
          ROLE.system.profile changeStream collStats createCollection dbStats dropCollection find listCollections listIndexes
        userAdmin
          ROLE changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction viewRole viewUser
        dbOwner < readWrite dbAdmin userAdmin
        readAnyDatabase
          * changeStream collStats dbStats find listCollections listIndexes
          *.system.js changeStream collStats dbStats find listCollections listIndexes
          cluster listDatabases
        readWriteAnyDatabase < readAnyDatabase
          * createCollection createIndex dropCollection dropIndex insert remove renameCollectionSameDB update
          *.system.js createCollection createIndex dropCollection dropIndex insert remove renameCollectionSameDB update
        dbAdminAnyDatabase
          * bypassDocumentValidation collMod collStats compact createCollection createIndex dbStats dropCollection dropDatabase dropIndex
          * enableProfiler listCollections listIndexes renameCollectionSameDB validate
          *.system.profile changeStream collStats createCollection dbStats dropCollection find listCollections listIndexes
          cluster listDatabases
        userAdminAnyDatabase
          * changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction viewRole viewUser
          local changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction viewRole viewUser
          config changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction viewRole viewUser
          cluster listDatabases viewUser
          admin.system.users changeStream collStats dbStats find listCollections listIndexes
          admin.system.roles changeStream collStats dbStats find listCollections listIndexes
        clusterMonitor
          cluster connPoolStats getCmdLineOpts getDefaultRWConcern getLog getParameter hostInfo inprog listDatabases listSessions
          cluster replSetGetConfig replSetGetStatus serverStatus
          * collStats dbStats indexStats
          config changeStream collStats dbStats find indexStats listCollections listIndexes
          config.system.js changeStream collStats dbStats find listCollections listIndexes
          local changeStream collStats dbStats find indexStats listCollections listIndexes
          local.system.js changeStream collStats dbStats find listCollections listIndexes
          local.system.replset find
          *.system.profile find
        clusterManager
          cluster getDefaultRWConcern listSessions replSetConfigure replSetGetConfig replSetGetStatus replSetStateChange
          config changeStream collStats dbStats find insert listCollections listIndexes remove update
          config.system.js changeStream collStats dbStats find listCollections listIndexes
          local insert remove update
          local.system.replset changeStream collStats dbStats find listCollections listIndexes
        hostManager
          cluster killAnySession killop
        clusterAdmin < clusterMonitor clusterManager hostManager
          * dropDatabase
        backup
          all collStats listCollections listIndexes
          cluster getParameter listDatabases serverStatus
          * find
          config find
          local find
          config.settings find insert update
          *.system.js find
          *.system.users find
          *.system.profile find
          admin.system.roles find
        restore
          all listCollections
          cluster getParameter
          * bypassDocumentValidation collMod createCollection createIndex dropCollection insert
          * changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction viewRole viewUser
          local bypassDocumentValidation collMod createCollection createIndex dropCollection insert
          config bypassDocumentValidation collMod createCollection createIndex dropCollection insert
          local.system.replset bypassDocumentValidation collMod createCollection createIndex dropCollection insert
          *.system.js bypassDocumentValidation collMod createCollection createIndex dropCollection insert
          *.system.users bypassDocumentValidation collMod createCollection createIndex dropCollection find insert remove update
          admin.system.roles createIndex
        root < readWriteAnyDatabase dbAdminAnyDatabase userAdminAnyDatabase clusterAdmin backup restore
          all validate
        """;

    private static readonly Dictionary<string, (List<string> Parents, List<(string Resource, HashSet<string> Actions)> Lines)> s_roles = Read();

    /// <summary>The roles of the table.</summary>
    public static IEnumerable<string> Roles => s_roles.Keys;

    /// <summary>Whether the manual has a role on every database, and not on admin alone.</summary>
    public static bool IsOfDatabases(string role) => role is "read" or "readWrite" or "dbAdmin" or "userAdmin" or "dbOwner";

    /// <summary>Whether a role allows what is needed.</summary>
    /// <param name="role">The role.</param>
    /// <param name="roleDatabase">The database that it is on.</param>
    /// <param name="needs">As in the other method.</param>
    public static bool Allows(string role, string roleDatabase, string needs) => Allows(RightsOf(role, roleDatabase), needs);

    /// <summary>Whether some rights allow what is needed.</summary>
    /// <param name="rights">Resources as in the table, with actions.</param>
    /// <param name="needs">Alternatives, separated by <c>|</c>: each of them actions with targets, separated by commas. A target is <c>cluster</c>, a
    /// database, a database and a collection, or <c>*</c> for all databases. Empty: nothing.</param>
    public static bool Allows(IEnumerable<(string Resource, IReadOnlySet<string> Actions)> rights, string needs) =>
        needs.Length == 0 || needs.Split('|', StringSplitOptions.TrimEntries).Any(all => all.Split(',', StringSplitOptions.TrimEntries).All(one =>
            one.Split(' ') is [var action, var target] && rights.Any(right => right.Actions.Contains(action) && Covers(right.Resource, target))));

    /// <summary>The rights of a role, its inherited ones included.</summary>
    /// <param name="role">The role.</param>
    /// <param name="roleDatabase">The database that it is on.</param>
    public static IEnumerable<(string Resource, IReadOnlySet<string> Actions)> RightsOf(string role, string roleDatabase) =>
        s_roles[role].Lines.Select(line => (line.Resource.Replace("ROLE", roleDatabase, StringComparison.Ordinal), (IReadOnlySet<string>)line.Actions))
            .Concat(s_roles[role].Parents.SelectMany(parent => RightsOf(parent, roleDatabase)));

    private static bool Covers(string resource, string target)
    {
        if (resource == "all" || resource == target)
        {
            return true;
        }

        if (target is "cluster" or "*" || resource == "cluster")
        {
            return false;
        }

        var dot = target.IndexOf('.', StringComparison.Ordinal);
        var (database, collection) = dot < 0 ? (target, "") : (target[..dot], target[(dot + 1)..]);
        var isSystem = collection.StartsWith("system.", StringComparison.Ordinal);
        return resource == "*" ? !isSystem && database is not ("local" or "config")
            : resource.StartsWith("*.", StringComparison.Ordinal) ? collection == resource[2..]
            : resource == database && !isSystem;
    }

    private static Dictionary<string, (List<string>, List<(string, HashSet<string>)>)> Read()
    {
        var roles = new Dictionary<string, (List<string> Parents, List<(string, HashSet<string>)> Lines)>(StringComparer.Ordinal);
        var last = "";
        foreach (var line in Table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (line.StartsWith(' '))
            {
                roles[last].Lines.Add((words[0], [.. words[1..]]));
            }
            else
            {
                last = words[0];
                roles.Add(last, ([.. words.Skip(2)], []));
            }
        }

        return roles;
    }
}
