using System.Collections.Frozen;

namespace Platform.Gateway.Commands;

/// <summary>What each command can be asked to promise.</summary>
internal static class PromiseTable
{
    private const CommandPromises Read = CommandPromises.ReadConcern | CommandPromises.TimedByBackend;
    private const CommandPromises Write = CommandPromises.WriteConcern;
    private const CommandPromises Api = CommandPromises.ApiVersion1;

    private static readonly FrozenDictionary<string, CommandPromises> s_promises = new Dictionary<string, CommandPromises>(StringComparer.Ordinal)
    {
        ["find"] = Read | Api,
        ["count"] = Read | Api,
        ["distinct"] = Read,
        ["aggregate"] = Read | Write | Api,
        ["insert"] = Write | Api,
        ["update"] = Write | Api | CommandPromises.TimedByBackend,
        ["delete"] = Write | Api | CommandPromises.TimedByBackend,
        ["findAndModify"] = Write | Api | CommandPromises.TimedByBackend,
        ["bulkWrite"] = Write,
        ["create"] = Write | Api,
        ["collMod"] = Write | Api,
        ["drop"] = Write | Api,
        ["dropDatabase"] = Write | Api,
        ["renameCollection"] = Write,
        ["createIndexes"] = Write | Api,
        ["dropIndexes"] = Write | Api,
        ["commitTransaction"] = Write | Api,
        ["abortTransaction"] = Write | Api,
        ["createUser"] = Write,
        ["updateUser"] = Write,
        ["dropUser"] = Write,
        ["grantRolesToUser"] = Write,
        ["revokeRolesFromUser"] = Write,
        ["createRole"] = Write,
        ["updateRole"] = Write,
        ["dropRole"] = Write,
        ["grantPrivilegesToRole"] = Write,
        ["revokePrivilegesFromRole"] = Write,
        ["grantRolesToRole"] = Write,
        ["revokeRolesFromRole"] = Write,
        ["endSessions"] = Api,
        ["explain"] = CommandPromises.ReadConcern | Api,
        ["getMore"] = Api,
        ["hello"] = Api,
        ["killCursors"] = Api,
        ["listCollections"] = Api,
        ["listDatabases"] = Api,
        ["listIndexes"] = Api,
        ["ping"] = Api,
        ["refreshSessions"] = Api,
        ["saslContinue"] = Api,
        ["saslStart"] = Api,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> s_reads = new[]
    {
        "find", "count", "distinct", "aggregate", "explain", "listCollections", "listIndexes", "listDatabases", "collStats", "dbStats", "dataSize",
        "validate", "usersInfo", "rolesInfo",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a member that is not primary runs the command of this name.</summary>
    public static SecondaryUse OnSecondary(string command) =>
        s_reads.Contains(command) ? SecondaryUse.WithLeave
        : Of(command).HasFlag(CommandPromises.WriteConcern) || command == "compact" ? SecondaryUse.Never
        : SecondaryUse.Always;

    /// <summary>What the command of this name can be asked to promise.</summary>
    public static CommandPromises Of(string command) => s_promises.GetValueOrDefault(command);
}
