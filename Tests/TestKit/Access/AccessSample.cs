using MongoDB.Bson;

namespace Platform.Tests.TestKit.Access;

/// <summary>A command of the matrix of rights.</summary>
/// <param name="Name">The command.</param>
/// <param name="Text">The command as JSON; <c>DB</c> stands for the database and <c>COLL</c> for the collection of the namespace it is tried on.</param>
/// <param name="Needs">What the manual says that it needs, in the form of <see cref="AccessOracle.Allows(string, string, string)"/>, with the same
/// two words.</param>
internal sealed record AccessSample(string Name, string Text, string Needs)
{
    /// <summary>Whether it always addresses the database admin.</summary>
    public bool OnAdmin { get; init; }

    /// <summary>Whether it may be sent to a server that others work with: what it does there, it undoes by itself or does to nobody.</summary>
    public bool IsHarmless { get; init; } = true;

    /// <summary>What is needed beside by those who may read a collection, which would show them more than they may see.</summary>
    public (string Collection, string Needs)? ForReaders { get; init; }

    /// <summary>All of them: one for each command of the gateway at least, and more where other fields need other rights.</summary>
    public static IReadOnlyList<AccessSample> All { get; } =
    [
        // Reading.
        new("find", "{ find: 'COLL' }", "find DB.COLL"),
        new("count", "{ count: 'COLL' }", "find DB.COLL"),
        new("distinct", "{ distinct: 'COLL', key: 'a' }", "find DB.COLL"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $match: {} }], cursor: {} }", "find DB.COLL"),
        new("aggregate", "{ aggregate: 1, pipeline: [{ $documents: [{ a: 1 }] }], cursor: {} }", ""),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $lookup: { from: 'second', as: 'x', pipeline: [] } }], cursor: {} }",
            "find DB.COLL, find DB.second"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $unionWith: 'second' }], cursor: {} }", "find DB.COLL, find DB.second"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $unionWith: { coll: 'second', pipeline: [{ $unionWith: 'third' }] } }], cursor: {} }",
            "find DB.COLL, find DB.second, find DB.third"),
        new("aggregate", "{ aggregate: 1, pipeline: [{ $documents: [{ a: 1 }] }, { $unionWith: 'second' }], cursor: {} }", "find DB.second"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $facet: { f: [{ $lookup: { from: 'second', as: 'x', pipeline: [] } }] } }], cursor: {} }",
            "find DB.COLL, find DB.second"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $graphLookup: { from: 'second', startWith: '$a', connectFromField: 'a', "
            + "connectToField: 'b', as: 'x' } }], cursor: {} }", "find DB.COLL, find DB.second"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $out: 'made' }], cursor: {} }", "find DB.COLL, insert DB.made, remove DB.made"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $out: { db: 'elsewhere', coll: 'made' } }], cursor: {} }",
            "find DB.COLL, insert elsewhere.made, remove elsewhere.made"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $merge: 'made' }], cursor: {} }", "find DB.COLL, insert DB.made, update DB.made"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $merge: { into: { db: 'elsewhere', coll: 'made' }, whenMatched: 'fail' } }], cursor: {} }",
            "find DB.COLL, insert elsewhere.made"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $merge: { into: 'made', whenNotMatched: 'discard' } }], cursor: {} }",
            "find DB.COLL, update DB.made"),
        new("aggregate", "{ aggregate: 'COLL', bypassDocumentValidation: true, pipeline: [{ $merge: 'made' }], cursor: {} }",
            "find DB.COLL, insert DB.made, update DB.made, bypassDocumentValidation DB.made"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $collStats: { count: {} } }], cursor: {} }", "collStats DB.COLL"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $indexStats: {} }], cursor: {} }", "indexStats DB.COLL"),
        new("aggregate", "{ aggregate: 'COLL', pipeline: [{ $changeStream: {} }], cursor: {} }", "changeStream DB.COLL, find DB.COLL"),
        new("aggregate", "{ aggregate: 1, pipeline: [{ $changeStream: {} }], cursor: {} }", "changeStream DB, find DB"),
        new("aggregate", "{ aggregate: 1, pipeline: [{ $changeStream: { allChangesForCluster: true } }], cursor: {} }", "changeStream *, find *")
            { OnAdmin = true },
        new("aggregate", "{ aggregate: 1, pipeline: [{ $currentOp: { allUsers: true } }], cursor: {} }", "inprog cluster") { OnAdmin = true },
        new("aggregate", "{ aggregate: 1, pipeline: [{ $currentOp: {} }], cursor: {} }", "") { OnAdmin = true },
        new("getMore", "{ getMore: { $numberLong: '1' }, collection: 'COLL' }", "find DB.COLL"),
        new("killCursors", "{ killCursors: 'COLL', cursors: [{ $numberLong: '1' }] }", ""),
        new("explain", "{ explain: { find: 'COLL' } }", "find DB.COLL"),
        new("explain", "{ explain: { aggregate: 'COLL', pipeline: [{ $out: 'made' }], cursor: {} } }", "find DB.COLL, insert DB.made, remove DB.made"),
        new("explain", "{ explain: { delete: 'COLL', deletes: [{ q: {}, limit: 0 }] } }", "remove DB.COLL"),
        new("explain", "{ explain: { update: 'COLL', updates: [{ q: {}, u: { $set: { a: 1 } } }] } }", "update DB.COLL"),

        // Writing.
        new("insert", "{ insert: 'COLL', documents: [{ a: 1 }] }", "insert DB.COLL"),
        new("insert", "{ insert: 'COLL', documents: [{ a: 1 }], bypassDocumentValidation: true }", "insert DB.COLL, bypassDocumentValidation DB.COLL"),
        new("update", "{ update: 'COLL', updates: [{ q: { a: 0 }, u: { $set: { a: 1 } } }] }", "update DB.COLL"),
        new("update", "{ update: 'COLL', updates: [{ q: { a: 0 }, u: { $set: { a: 1 } }, upsert: true }] }", "update DB.COLL, insert DB.COLL"),
        new("delete", "{ delete: 'COLL', deletes: [{ q: { a: 0 }, limit: 1 }] }", "remove DB.COLL"),
        new("findAndModify", "{ findAndModify: 'COLL', query: { a: 0 }, remove: true }", "find DB.COLL, remove DB.COLL"),
        new("findAndModify", "{ findAndModify: 'COLL', query: { a: 0 }, update: { $set: { a: 1 } } }", "find DB.COLL, update DB.COLL"),
        new("findAndModify", "{ findAndModify: 'COLL', query: { a: 0 }, update: { $set: { a: 1 } }, upsert: true }",
            "find DB.COLL, update DB.COLL, insert DB.COLL"),
        new("bulkWrite", "{ bulkWrite: 1, ops: [{ insert: 0, document: { a: 1 } }, { delete: 1, filter: { a: 0 } }], "
            + "nsInfo: [{ ns: 'DB.COLL' }, { ns: 'DB.second' }] }",
            "insert DB.COLL, remove DB.second") { OnAdmin = true },
        new("bulkWrite", "{ bulkWrite: 1, ops: [{ update: 0, filter: { a: 0 }, updateMods: { $set: { a: 1 } } }], nsInfo: [{ ns: 'DB.COLL' }] }",
            "update DB.COLL")
            { OnAdmin = true },

        // Structure.
        new("create", "{ create: 'COLL' }", "createCollection DB.COLL | insert DB.COLL"),
        new("create", "{ create: 'COLL', viewOn: 'second', pipeline: [{ $unionWith: 'third' }] }", "createCollection DB.COLL")
            { IsHarmless = false, ForReaders = ("DB.COLL", "find DB.second, find DB.third") },
        new("collMod", "{ collMod: 'COLL', validationLevel: 'strict' }", "collMod DB.COLL"),
        new("drop", "{ drop: 'COLL' }", "dropCollection DB.COLL"),
        new("dropDatabase", "{ dropDatabase: 1 }", "dropDatabase DB"),
        new("renameCollection", "{ renameCollection: 'DB.COLL', to: 'DB.second' }",
            "renameCollectionSameDB DB.COLL, renameCollectionSameDB DB.second")
            { OnAdmin = true, IsHarmless = false, ForReaders = ("DB.second", "find DB.COLL") },
        new("createIndexes", "{ createIndexes: 'COLL', indexes: [{ key: { a: 1 }, name: 'a' }] }", "createIndex DB.COLL"),
        new("dropIndexes", "{ dropIndexes: 'COLL', index: 'a' }", "dropIndex DB.COLL"),
        new("listIndexes", "{ listIndexes: 'COLL' }", "listIndexes DB.COLL"),
        new("listCollections", "{ listCollections: 1 }", "listCollections DB"),
        new("listCollections", "{ listCollections: 1, nameOnly: true, authorizedCollections: true }", ""),
        new("listDatabases", "{ listDatabases: 1 }", "") { OnAdmin = true },
        new("listDatabases", "{ listDatabases: 1, authorizedDatabases: false }", "listDatabases cluster") { OnAdmin = true },
        new("collStats", "{ collStats: 'COLL' }", "collStats DB.COLL"),
        new("dbStats", "{ dbStats: 1 }", "dbStats DB"),
        new("dataSize", "{ dataSize: 'DB.COLL' }", "find DB.COLL"),
        new("validate", "{ validate: 'COLL' }", "validate DB.COLL"),
        new("compact", "{ compact: 'COLL' }", "compact DB.COLL"),
        new("profile", "{ profile: 0 }", "enableProfiler DB"),
        new("profile", "{ profile: -1 }", "enableProfiler DB | find DB.system.profile"),

        // Users and roles: of names that nobody has.
        new("createUser", "{ createUser: 'sample user', pwd: 'x', roles: [{ role: 'nothing', db: 'DB' }] }", "createUser DB, grantRole DB"),
        new("createUser", "{ createUser: 'sample user', pwd: 'x', roles: [{ role: 'nothing', db: 'elsewhere' }], authenticationRestrictions: [] }",
            "createUser DB, grantRole elsewhere, setAuthenticationRestriction DB"),
        new("updateUser", "{ updateUser: 'sample user', pwd: 'x' }", "changePassword DB"),
        new("updateUser", "{ updateUser: 'sample user', customData: {} }", "changeCustomData DB"),
        new("updateUser", "{ updateUser: 'sample user', roles: [{ role: 'root', db: 'admin' }] }", "revokeRole *, grantRole admin"),
        new("dropUser", "{ dropUser: 'sample user' }", "dropUser DB"),
        new("usersInfo", "{ usersInfo: 1 }", "viewUser DB"),
        new("usersInfo", "{ usersInfo: [{ user: 'sample user', db: 'elsewhere' }, 'sample user'] }", "viewUser DB, viewUser elsewhere"),
        new("usersInfo", "{ usersInfo: { forAllDBs: true } }", "viewUser cluster"),
        new("grantRolesToUser", "{ grantRolesToUser: 'sample user', roles: ['read', { role: 'root', db: 'admin' }] }", "grantRole DB, grantRole admin"),
        new("revokeRolesFromUser", "{ revokeRolesFromUser: 'sample user', roles: ['read'] }", "revokeRole DB"),
        new("rolesInfo", "{ rolesInfo: 1, showBuiltinRoles: true }", "viewRole DB"),
        new("rolesInfo", "{ rolesInfo: { role: 'sample role', db: 'elsewhere' } }", "viewRole elsewhere"),
        new("createRole", "{ createRole: 'sample role', roles: ['nothing'], "
            + "privileges: [{ resource: { db: 'elsewhere', collection: '' }, actions: ['find'] }] }",
            "createRole DB, grantRole DB, grantRole elsewhere"),
        new("createRole", "{ createRole: 'sample role', roles: ['nothing'], privileges: [{ resource: { cluster: true }, actions: ['shutdown'] }] }",
            "createRole DB, grantRole DB, grantRole admin"),
        new("updateRole", "{ updateRole: 'sample role', privileges: [{ resource: { anyResource: true }, actions: ['anyAction'] }] }",
            "revokeRole *, grantRole admin"),
        new("dropRole", "{ dropRole: 'sample role' }", "dropRole DB"),
        new("grantPrivilegesToRole", "{ grantPrivilegesToRole: 'sample role', "
            + "privileges: [{ resource: { db: 'DB', collection: 'COLL' }, actions: ['find'] }] }",
            "grantRole DB"),
        new("revokePrivilegesFromRole", "{ revokePrivilegesFromRole: 'sample role', "
            + "privileges: [{ resource: { db: 'DB', collection: 'COLL' }, actions: ['find'] }] }",
            "revokeRole DB"),
        new("grantRolesToRole", "{ grantRolesToRole: 'sample role', roles: [{ role: 'root', db: 'admin' }] }", "grantRole admin"),
        new("revokeRolesFromRole", "{ revokeRolesFromRole: 'sample role', roles: ['read'] }", "revokeRole DB"),

        // What tells of nobody else, and what is the user's own.
        .. new[]
        {
            "ping", "buildInfo", "whatsmyuri", "listCommands", "connectionStatus", "hello", "isMaster", "startSession", "refreshSessions", "endSessions",
            "killSessions", "commitTransaction", "abortTransaction",
        }.Select(name => new AccessSample(name, $"{{ {name}: {(name.EndsWith("Sessions", StringComparison.Ordinal) ? "[]" : "1")} }}", "")),
        new("saslStart", "{ saslStart: 1, mechanism: 'PLAIN', payload: '' }", ""),
        new("saslContinue", "{ saslContinue: 1, conversationId: 1, payload: '' }", ""),
        new("logout", "{ logout: 1 }", "") { IsHarmless = false },

        // The cluster.
        new("hostInfo", "{ hostInfo: 1 }", "hostInfo cluster") { OnAdmin = true },
        new("serverStatus", "{ serverStatus: 1 }", "serverStatus cluster") { OnAdmin = true },
        new("getParameter", "{ getParameter: '*' }", "getParameter cluster") { OnAdmin = true },
        new("getCmdLineOpts", "{ getCmdLineOpts: 1 }", "getCmdLineOpts cluster") { OnAdmin = true },
        new("getLog", "{ getLog: 'global' }", "getLog cluster") { OnAdmin = true },
        new("getDefaultRWConcern", "{ getDefaultRWConcern: 1 }", "getDefaultRWConcern cluster") { OnAdmin = true },
        new("currentOp", "{ currentOp: 1 }", "inprog cluster") { OnAdmin = true },
        new("currentOp", "{ currentOp: 1, $ownOps: true }", "") { OnAdmin = true },
        new("connPoolStats", "{ connPoolStats: 1 }", "connPoolStats cluster") { OnAdmin = true },
        new("killOp", "{ killOp: 1, op: '10000000001:0' }", "killop cluster") { OnAdmin = true },
        new("killAllSessions", "{ killAllSessions: [{ user: 'sample user', db: 'admin' }] }", "killAnySession cluster") { OnAdmin = true },
        new("replSetGetStatus", "{ replSetGetStatus: 1 }", "replSetGetStatus cluster") { OnAdmin = true },
        new("replSetGetConfig", "{ replSetGetConfig: 1 }", "replSetGetConfig cluster") { OnAdmin = true },
        new("replSetStepDown", "{ replSetStepDown: 60 }", "replSetStateChange cluster") { OnAdmin = true, IsHarmless = false },
        new("replSetFreeze", "{ replSetFreeze: 0 }", "replSetStateChange cluster") { OnAdmin = true, IsHarmless = false },
        new("replSetInitiate", "{ replSetInitiate: {} }", "replSetConfigure cluster") { OnAdmin = true },
        new("replSetReconfig", "{ replSetReconfig: {} }", "replSetConfigure cluster") { OnAdmin = true },
    ];

    /// <summary>The command for a namespace.</summary>
    public BsonDocument For(string database, string collection) =>
        BsonDocument.Parse(Put(Text, database, collection)).Add("$db", OnAdmin ? "admin" : database);

    /// <summary>Whether a role allows it there.</summary>
    public bool IsAllowed(string role, string roleDatabase, string database, string collection) =>
        IsAllowed([.. AccessOracle.RightsOf(role, roleDatabase)], database, collection);

    /// <summary>Whether some rights allow it there.</summary>
    public bool IsAllowed(IReadOnlyList<(string Resource, IReadOnlySet<string> Actions)> rights, string database, string collection) =>
        AccessOracle.Allows(rights, Put(Needs, database, collection))
        && (ForReaders is not (var shown, var needs) || !AccessOracle.Allows(rights, Put($"find {shown}", database, collection))
            || AccessOracle.Allows(rights, Put(needs, database, collection)));

    private static string Put(string text, string database, string collection) =>
        text.Replace("DB", database, StringComparison.Ordinal).Replace("COLL", collection, StringComparison.Ordinal)
            .Replace($"forAll{database}s", "forAllDBs", StringComparison.Ordinal)
            .Replace($"renameCollectionSame{database}", "renameCollectionSameDB", StringComparison.Ordinal);
}
