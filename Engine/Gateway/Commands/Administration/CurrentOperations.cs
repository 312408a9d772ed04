using System.Globalization;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Administration;

/// <summary>What PostgreSQL is doing, for the command currentOp and the stage $currentOp.</summary>
internal static class CurrentOperations
{
    /// <summary>The operations.</summary>
    /// <param name="context">The command that asks.</param>
    /// <param name="idle">Whether PostgreSQL's own processes and connections that do nothing are among them.</param>
    /// <param name="own">Whether only those of the user are.</param>
    public static async ValueTask<List<BsonDocument>> ListAsync(CommandContext context, bool idle, bool own)
    {
        await using var lease = await context.RentAsGatewayAsync();
        var reply = new RawDocument(await lease.Connection.Command(Statements.CurrentOp)
            .With<ReadOnlyMemory<byte>>(0, new BsonDocument { { "currentOp", 1 }, { "$db", "admin" } }.ToBson())
            .SingleAsync<byte[]>(context.CancellationToken)).ToTree();
        return
        [
            .. reply["inprog"].AsBsonArray.Cast<BsonDocument>()
                .Where(e => idle || e.GetValue("opid", "") != "")
                .Where(e => !own || ProcessId(e) is var process && (process == lease.Connection.ProcessId || context.RoleOf(process) == context.User.Name)),
        ];
    }

    /// <summary>Stages that yield these documents.</summary>
    public static IEnumerable<BsonValue> Stages(IReadOnlyCollection<BsonDocument> documents)
    {
        // The stage wants one document at least.
        yield return new BsonDocument(
            "$documents", documents.Count == 0 ? [new BsonDocument()] : new BsonArray(documents.Select(e => new BsonDocument("$literal", e))));
        if (documents.Count == 0)
        {
            yield return new BsonDocument("$match", new BsonDocument("$expr", false));
        }
    }

    /// <summary>
    /// The backend's stage shows nothing to who acts in another role, so an aggregation that begins with it becomes one over what
    /// currentOp tells. Throws <see cref="CommandException"/> for options that the stage does not have.
    /// </summary>
    public static async ValueTask<RawDocument> ExpandAsync(CommandContext context)
    {
        var command = context.ToTree();
        var stages = command["pipeline"].AsBsonArray;
        if (context.Request.Database != "admin" || context.Request.Command.Integer != 1)
        {
            throw new CommandException(ErrorCode.InvalidNamespace, "$currentOp must be run against the 'admin' database with {aggregate: 1}");
        }

        if (stages[0][0] is not BsonDocument options)
        {
            throw new CommandException(ErrorCode.FailedToParse, "$currentOp options must be specified in an object.");
        }

        foreach (var option in options)
        {
            if (option.Name is not ("allUsers" or "idleConnections" or "idleCursors" or "idleSessions"
                or "localOps" or "truncateOps" or "targetAllNodes" or "backtrace"))
            {
                throw new CommandException(ErrorCode.FailedToParse, $"Unrecognized option '{option.Name}' in $currentOp stage.");
            }

            if (!option.Value.IsBoolean)
            {
                throw new CommandException(ErrorCode.FailedToParse, $"The '{option.Name}' parameter of the $currentOp stage must be a boolean value.");
            }

            if (option.Value.AsBoolean && option.Name is ("idleCursors" or "targetAllNodes" or "backtrace"))
            {
                throw new CommandException(ErrorCode.CommandNotSupported, $"The option '{option.Name}' of $currentOp is not supported.");
            }
        }

        if (Pipelines.Writes(context.Request.Body))
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "$currentOp cannot be stored by $out or $merge.");
        }

        var everybody = options.GetValue("allUsers", false).AsBoolean;
        var operations = await ListAsync(context, options.GetValue("idleConnections", false).AsBoolean, own: !everybody);
        command["pipeline"] = new BsonArray(Stages(operations).Concat(stages.Skip(1)));
        return new RawDocument(command.ToBson());
    }

    /// <summary>The number of the process in an operation's id, which is that of the shard, the process, and the time.</summary>
    private static int ProcessId(BsonDocument operation)
    {
        const long shard = 10_000_000_000;
        var id = operation.GetValue("op_prefix", operation.GetValue("opid", "")).ToString() ?? "";
        var colon = id.IndexOf(':', StringComparison.Ordinal);
        return long.TryParse(colon < 0 ? id : id[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? (int)(number % shard) : 0;
    }
}
