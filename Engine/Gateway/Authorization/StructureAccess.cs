using Platform.Gateway.Access;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Authorization;

/// <summary>What commands need that make, change or list collections and databases.</summary>
internal static class StructureAccess
{
    /// <summary>create.</summary>
    public static CommandAccess Create { get; } = CommandAccess.Of(
        "createCollection or insert on the collection; of a view, find on what it reads, for those who may read the view",
        static (request, user) =>
            (CommandAccess.On(request, user, AccessAction.CreateCollection)
                || (CommandAccess.On(request, user, AccessAction.Insert) && !request.TryGet("viewOn"u8, out _)))
            && PipelineAccess.OfView(request, user.Rights));

    /// <summary>collMod.</summary>
    public static CommandAccess CollMod { get; } = CommandAccess.Of(
        "collMod on the collection; of a view, find on what it reads, for those who may read the view",
        static (request, user) => CommandAccess.On(request, user, AccessAction.CollMod) && PipelineAccess.OfView(request, user.Rights));

    // https://www.mongodb.com/docs/v7.0/reference/privilege-actions/#mongodb-authaction-renameCollectionSameDB
    /// <summary>renameCollection.</summary>
    public static CommandAccess Rename { get; } = CommandAccess.Of(
        "renameCollectionSameDB on both names, and no right to read only the new one; to another database, dropCollection and find on the old one, insert and "
        + "createIndex on the new one; with dropTarget, dropCollection on the new one",
        static (request, user) =>
        {
            var (rights, from) = (user.Rights, request.Target ?? "");
            var to = request.TryGet("to"u8, out var target) ? target.Text ?? "" : "";
            if (request.TryGet("dropTarget"u8, out var drop) && drop.Truthy && !On(to, AccessAction.DropCollection))
            {
                return false;
            }

            return DatabaseOf(from) == DatabaseOf(to)
                ? On(from, AccessAction.RenameCollectionSameDB) && On(to, AccessAction.RenameCollectionSameDB)
                    && (On(from, AccessAction.Find) || !On(to, AccessAction.Find))
                : On(from, AccessAction.Find) && On(from, AccessAction.DropCollection) && On(to, AccessAction.Insert) && On(to, AccessAction.CreateIndex);

            bool On(string name, AccessAction action) => QueryAccess.OnNamespace(name, rights, action);
        });

    /// <summary>listCollections.</summary>
    public static CommandAccess ListCollections { get; } = CommandAccess.Of(
        "listCollections on the database; with nameOnly and authorizedCollections any right in it, which shows those",
        static (request, user) => user.Rights.OnDatabase(request.Database, AccessAction.ListCollections) || ListsOwn(request));

    /// <summary>listDatabases.</summary>
    public static CommandAccess ListDatabases { get; } = CommandAccess.Of(
        "listDatabases on the cluster; without it those are shown in which the user has any right, unless authorizedDatabases is false",
        static (request, user) => user.Rights.OnCluster(AccessAction.ListDatabases) || !request.TryGet("authorizedDatabases"u8, out var own) || own.Truthy);

    /// <summary>profile.</summary>
    public static CommandAccess Profile { get; } = CommandAccess.Of(
        "enableProfiler on the database; to read the level alone, find on its system.profile",
        static (request, user) => user.Rights.OnDatabase(request.Database, AccessAction.EnableProfiler)
            || (request.Command.Integer == -1 && !request.TryGet("slowms"u8, out _) && !request.TryGet("sampleRate"u8, out _)
                && user.Rights.OnCollection(request.Database, "system.profile", AccessAction.Find)));

    /// <summary>currentOp.</summary>
    public static CommandAccess CurrentOp { get; } = CommandAccess.Of(
        "inprog on the cluster, unless it asks for the user's own operations",
        static (request, user) => user.Rights.OnCluster(AccessAction.Inprog) || (request.TryGet("$ownOps"u8, out var own) && own.Truthy));

    /// <summary>Whether listCollections asks for the names alone of what the user has rights on.</summary>
    public static bool ListsOwn(Request request) => request.TryGet("nameOnly"u8, out var names) && names.Truthy
        && request.TryGet("authorizedCollections"u8, out var own) && own.Truthy;

    private static string DatabaseOf(string name) => name.Split('.', 2)[0];
}
