using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Authorization;

/// <summary>What commands need that change documents.</summary>
internal static class WriteAccess
{
    /// <summary>insert.</summary>
    public static CommandAccess Insert { get; } = Of(
        "insert on the collection", static (request, user) => CommandAccess.On(request, user, AccessAction.Insert));

    /// <summary>update.</summary>
    public static CommandAccess Update { get; } = Of(
        "update on the collection, and insert where it may upsert",
        static (request, user) => CommandAccess.On(request, user, AccessAction.Update)
            && (CommandAccess.On(request, user, AccessAction.Insert) || !Upserts(request)));

    /// <summary>delete.</summary>
    public static CommandAccess Delete { get; } = Of(
        "remove on the collection", static (request, user) => CommandAccess.On(request, user, AccessAction.Remove));

    /// <summary>findAndModify.</summary>
    public static CommandAccess FindAndModify { get; } = Of(
        "find on the collection, and remove, or update and insert where it may upsert",
        static (request, user) =>
        {
            if (!CommandAccess.On(request, user, AccessAction.Find))
            {
                return false;
            }

            if (request.TryGet("remove"u8, out var remove) && remove.Truthy)
            {
                return CommandAccess.On(request, user, AccessAction.Remove);
            }

            return CommandAccess.On(request, user, AccessAction.Update)
                && (!request.TryGet("upsert"u8, out var upsert) || !upsert.Truthy || CommandAccess.On(request, user, AccessAction.Insert));
        });

    /// <summary>bulkWrite: what each of its operations needs.</summary>
    public static CommandAccess BulkWrite { get; } = CommandAccess.Of(
        "insert, update and remove on the collections, as its operations do them",
        static (request, user) =>
        {
            foreach (var field in request.Body)
            {
                if (field.Type == BsonType.Array)
                {
                    Twins.RefuseInEach(field.Document, request.Command.Name);
                }
            }

            foreach (var sequence in request.Sequences)
            {
                foreach (var entry in sequence)
                {
                    Twins.Refuse(entry, request.Command.Name);
                }
            }

            var command = request.ToTree();
            var bypasses = command.TryGetValue("bypassDocumentValidation", out var bypass) && bypass.ToBoolean();
            var namespaces = command.GetValue("nsInfo", new BsonArray()) as BsonArray ?? [];
            foreach (var info in namespaces)
            {
                if (bypasses && !QueryAccess.OnNamespace(NameOf(info), user.Rights, AccessAction.BypassDocumentValidation))
                {
                    return false;
                }
            }

            return (command.GetValue("ops", new BsonArray()) as BsonArray ?? []).All(operation => OfOperation(operation, namespaces, user.Rights));
        });

    // What has another form than an operation is refused later, before any is run.
    private static bool OfOperation(BsonValue value, BsonArray namespaces, Rights rights)
    {
        if (value is not BsonDocument { ElementCount: > 0 } operation || operation.GetElement(0) is not { Value.IsNumeric: true } first
            || first.Value.ToInt64() is not (>= 0 and var index) || index >= namespaces.Count)
        {
            return true;
        }

        var name = NameOf(namespaces[(int)index]);
        return first.Name switch
        {
            "insert" => QueryAccess.OnNamespace(name, rights, AccessAction.Insert),
            "update" => QueryAccess.OnNamespace(name, rights, AccessAction.Update)
                && (!operation.TryGetValue("upsert", out var upsert) || !upsert.ToBoolean() || QueryAccess.OnNamespace(name, rights, AccessAction.Insert)),
            "delete" => QueryAccess.OnNamespace(name, rights, AccessAction.Remove),
            _ => true,
        };
    }

    private static string NameOf(BsonValue info) => info is BsonDocument document ? document.GetValue("ns", "").ToString() ?? "" : "";

    private static CommandAccess Of(string needs, Func<Request, User, bool> allows) => CommandAccess.Of(
        $"{needs}; bypassDocumentValidation for that option",
        (request, user) => allows(request, user)
            && (!PipelineAccess.Bypasses(request.Body) || CommandAccess.On(request, user, AccessAction.BypassDocumentValidation)));

    private static bool Upserts(Request request)
    {
        foreach (var sequence in request.Sequences)
        {
            foreach (var statement in sequence)
            {
                if (Upserts(statement))
                {
                    return true;
                }
            }
        }

        if (request.TryGet("updates"u8, out var updates) && updates.Type == BsonType.Array)
        {
            foreach (var element in updates.Document)
            {
                if (element.Type == BsonType.Document && Upserts(element.Document))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool Upserts(RawDocument statement)
    {
        Twins.Refuse(statement, "update"u8);
        return statement.TryGet("upsert"u8, out var upsert) && upsert.Truthy;
    }
}
