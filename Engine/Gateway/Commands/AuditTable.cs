using System.Collections.Frozen;
using System.Text.Json.Nodes;
using MongoDB.Bson;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Commands;

/// <summary>
/// What the audit log has of each command (https://www.mongodb.com/docs/manual/reference/audit-message/mongo/): names and rights; of indexes the key and of
/// views the source, but no pipeline, no validator, no filter and no custom data, in which data may stand.
/// </summary>
internal static class AuditTable
{
    private const int MostOfList = 1_000;

    private static readonly string[] s_indexOptions = ["key", "unique", "sparse", "hidden", "expireAfterSeconds"];

    private static readonly FrozenDictionary<string, CommandAudit> s_audits = new Dictionary<string, CommandAudit>(StringComparer.Ordinal)
    {
        ["saslStart"] = new(CommandAudit.Authenticate, "user, db, mechanism, reason", Nothing),
        ["saslContinue"] = new(CommandAudit.Authenticate, "user, db, mechanism, reason", Nothing),
        ["logout"] = new(CommandAudit.Logout, "", Nothing),
        ["createUser"] = new("createUser", "user, db, roles", command => One(User(command), Roles(command))),
        ["updateUser"] = new(
            "updateUser", "user, db, passwordChanged, roles",
            command => One(User(command), new JsonObject { ["passwordChanged"] = command.TryGet("pwd"u8, out _) }, Roles(command))),
        ["dropUser"] = new("dropUser", "user, db", command => One(User(command))),
        ["grantRolesToUser"] = new("grantRolesToUser", "user, db, roles", command => One(User(command), Roles(command))),
        ["revokeRolesFromUser"] = new("revokeRolesFromUser", "user, db, roles", command => One(User(command), Roles(command))),
        ["createRole"] = new("createRole", "role, db, roles, privileges", command => One(Role(command), Roles(command), Privileges(command))),
        ["updateRole"] = new("updateRole", "role, db, roles, privileges", command => One(Role(command), Roles(command), Privileges(command))),
        ["dropRole"] = new("dropRole", "role, db", command => One(Role(command))),
        ["grantRolesToRole"] = new("grantRolesToRole", "role, db, roles", command => One(Role(command), Roles(command))),
        ["revokeRolesFromRole"] = new("revokeRolesFromRole", "role, db, roles", command => One(Role(command), Roles(command))),
        ["grantPrivilegesToRole"] = new("grantPrivilegesToRole", "role, db, privileges", command => One(Role(command), Privileges(command))),
        ["revokePrivilegesFromRole"] = new("revokePrivilegesFromRole", "role, db, privileges", command => One(Role(command), Privileges(command))),
        ["create"] = new("createCollection", "ns, viewOn", command => One(Namespace(command), View(command))),
        ["drop"] = new("dropCollection", "ns", command => One(Namespace(command))),
        ["collMod"] = new("collMod", "ns, options (their names)", command => One(Namespace(command), Changed(command))),
        ["renameCollection"] = new("renameCollection", "old, new", command => One(new JsonObject
        {
            ["old"] = command.Target, ["new"] = command.TryGet("to"u8, out var to) ? to.Text : null,
        })),
        ["dropDatabase"] = new("dropDatabase", "ns", static command => One(new JsonObject { ["ns"] = command.Database })),
        ["createIndexes"] = new("createIndex", "ns, indexName, indexSpec (key and flags), for each index", Indexes),
        ["dropIndexes"] = new("dropIndex", "ns, indexName, for each index", DroppedIndexes),
        ["replSetStepDown"] = new("replSetStepDown", "seconds, force", static command => One(new JsonObject
        {
            ["seconds"] = command.Command.Integer, ["force"] = command.TryGet("force"u8, out var force) && force.Truthy,
        })),
        ["replSetFreeze"] = new("replSetFreeze", "seconds", static command => One(new JsonObject { ["seconds"] = command.Command.Integer })),
        ["replSetReconfig"] = new("replSetReconfig", "", static _ => One([])),
        ["replSetInitiate"] = new("replSetInitiate", "", static _ => One([])),
        ["killAllSessions"] = new("killAllSessions", "", static _ => One([])),
        ["killOp"] = new("killOp", "op", static command => One(new JsonObject { ["op"] = Json(command.ToTree().GetValue("op", BsonNull.Value), 0) })),
        // A negative level alone only asks.
        ["profile"] = new("profile", "ns, level", static command =>
            command.Command.Integer is < 0 && !command.TryGet("slowms"u8, out _) && !command.TryGet("sampleRate"u8, out _)
                ? []
                : One(new JsonObject { ["ns"] = command.Database, ["level"] = command.Command.Integer })),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The kinds of events of all commands, by the commands' names.</summary>
    public static IEnumerable<KeyValuePair<string, CommandAudit>> All => s_audits.OrderBy(entry => entry.Key, StringComparer.Ordinal);

    /// <summary>What the audit log has of the command of this name; null for nothing.</summary>
    public static CommandAudit? Of(string command) => s_audits.GetValueOrDefault(command);

    private static JsonObject[] Nothing(Request command) => One([]);

    private static JsonObject[] One(params ReadOnlySpan<JsonObject> parts)
    {
        var all = new JsonObject();
        foreach (var part in parts)
        {
            foreach (var (name, value) in part)
            {
                all[name] = value?.DeepClone();
            }
        }

        return [all];
    }

    private static JsonObject User(Request command) => new() { ["user"] = command.Target, ["db"] = command.Database };

    private static JsonObject Role(Request command) => new() { ["role"] = command.Target, ["db"] = command.Database };

    private static JsonObject Namespace(Request command) => new() { ["ns"] = Named(command.Database, command.Target) };

    private static JsonObject View(Request command) =>
        command.TryGet("viewOn"u8, out var source) ? new() { ["viewOn"] = Named(command.Database, source.Text) } : [];

    private static JsonObject Changed(Request command) => new()
    {
        ["options"] = new JsonArray([.. command.ToTree().Names.Skip(1)
            .Where(name => name is not ("lsid" or "writeConcern" or "comment" or "maxTimeMS" or "txnNumber" or "autocommit") && !name.StartsWith('$'))
            .Take(MostOfList).Select(name => (JsonNode)name)]),
    };

    private static JsonObject Roles(Request command) => command.ToTree().TryGetValue("roles", out var given) && given is BsonArray list
        ? new()
        {
            ["roles"] = new JsonArray([.. list.Take(MostOfList).Select(role => role switch
            {
                BsonString name => new JsonObject { ["role"] = name.Value, ["db"] = command.Database },
                _ => Json(role, 0),
            })]),
        }
        : [];

    private static JsonObject Privileges(Request command) =>
        command.ToTree().TryGetValue("privileges", out var given) && given is BsonArray ? new() { ["privileges"] = Json(given, 0) } : [];

    private static IEnumerable<JsonObject> Indexes(Request command)
    {
        var indexes = command.ToTree().GetValue("indexes", BsonNull.Value) as BsonArray ?? [];
        return indexes.OfType<BsonDocument>().Take(MostOfList).Select(index => new JsonObject
        {
            ["ns"] = Named(command.Database, command.Target),
            ["indexName"] = index.TryGetValue("name", out var name) && name is BsonString text ? text.Value : null,
            ["indexSpec"] = new JsonObject(index.Where(option => s_indexOptions.Contains(option.Name)).DistinctBy(option => option.Name)
                .Select(option => KeyValuePair.Create(option.Name, Json(option.Value, 0)))),
        });
    }

    // By name, by key, several of them, or all but that of _id.
    private static IEnumerable<JsonObject> DroppedIndexes(Request command)
    {
        var index = command.ToTree().GetValue("index", BsonNull.Value);
        return (index is BsonArray several ? several.Take(MostOfList) : [index]).Select(one => new JsonObject
        {
            ["ns"] = Named(command.Database, command.Target), ["indexName"] = Json(one, 0),
        });
    }

    private static string Named(string database, string? collection) => $"{database}.{collection}";

    /// <summary>Names and rights as JSON. Of what is neither only the type is told; the log cuts what is too long or too deep.</summary>
    private static JsonNode? Json(BsonValue value, int depth) => value switch
    {
        BsonString text => text.Value,
        BsonBoolean truth => truth.Value,
        BsonInt32 number => number.Value,
        BsonInt64 number => number.Value,
        BsonDouble number when double.IsFinite(number.Value) => number.Value,
        BsonNull => null,
        BsonDocument document when depth < 4 => new JsonObject(document.Take(MostOfList).DistinctBy(field => field.Name)
            .Select(field => KeyValuePair.Create(field.Name, Json(field.Value, depth + 1)))),
        BsonArray list when depth < 4 => new JsonArray([.. list.Take(MostOfList).Select(entry => Json(entry, depth + 1))]),
        _ => $"<{value.BsonType}>",
    };
}
