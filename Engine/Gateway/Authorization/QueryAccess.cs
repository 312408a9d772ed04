using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Authorization;

/// <summary>What reading commands need: the collection, and every other one that a pipeline reaches.</summary>
internal static class QueryAccess
{
    private const string NoCollection = "$cmd.aggregate";

    /// <summary>find, count, distinct.</summary>
    public static CommandAccess Find { get; } = CommandAccess.Collection(AccessAction.Find);

    /// <summary>aggregate.</summary>
    public static CommandAccess Aggregate { get; } = CommandAccess.Of(
        "find on the collection and on those that its stages read; insert, update and remove on those that they write; changeStream, collStats, indexStats, "
        + "inprog and others for stages of these names",
        static (request, user) => PipelineAccess.OfAggregate(request, user.Rights));

    /// <summary>getMore: cursors are their users' alone, and what they read must still be allowed.</summary>
    public static CommandAccess GetMore { get; } = CommandAccess.Of(
        "find on the collection of the cursor, which is the user's own",
        static (request, user) =>
        {
            if (!request.TryGet("collection"u8, out var named) || named.Type != BsonType.String)
            {
                // The command will say so.
                return true;
            }

            var collection = TextCache.Get(named.StringBytes);
            return collection == NoCollection || user.Rights.OnCollection(request.Database, collection, AccessAction.Find);
        });

    /// <summary>dataSize, whose first field names a database, too.</summary>
    public static CommandAccess DataSize { get; } = CommandAccess.Of(
        "find on the collection",
        static (request, user) => OnNamespace(request.Target ?? "", user.Rights, AccessAction.Find));

    /// <summary>explain: what the explained command needs.</summary>
    public static CommandAccess Explain { get; } = CommandAccess.Of(
        "what the explained command needs",
        static (request, user) => request.Explained() is not { } inner || AccessOf(inner).Allows(inner, user));

    private static CommandAccess AccessOf(Request explained)
    {
        Twins.Refuse(explained.Body, explained.Command.Name);
        return explained.Name switch
        {
            "find" or "count" or "distinct" => Find,
            "aggregate" => Aggregate,
            "update" => WriteAccess.Update,
            "delete" => WriteAccess.Delete,
            "findAndModify" or "findandmodify" => WriteAccess.FindAndModify,
            // Nothing else is explained.
            _ => CommandAccess.Everybody,
        };
    }

    /// <summary>Whether an action is allowed on <c>database.collection</c>.</summary>
    internal static bool OnNamespace(string name, Rights rights, AccessAction action)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? rights.OnDatabase(name, action) : rights.OnCollection(name[..dot], name[(dot + 1)..], action);
    }
}
