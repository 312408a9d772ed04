using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authorization;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Transactions;

namespace Platform.Gateway.Commands.Sessions;

/// <summary>Logical sessions and the ends of transactions.</summary>
internal sealed class SessionCommands(SessionStore sessions) : ICommandFamily
{
    /// <summary>How many sessions a command may name; drivers send as many at most.</summary>
    public const int MostIds = 10_000;

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("commitTransaction", CommandAccess.Everybody, CommitAsync, CommandTraits.InTransaction),
        new("abortTransaction", CommandAccess.Everybody, AbortAsync, CommandTraits.InTransaction),
        new("startSession", CommandAccess.Everybody, StartAsync),
        new("refreshSessions", CommandAccess.Everybody, RefreshAsync, CommandTraits.Quiet),
        new("endSessions", CommandAccess.Everybody, EndAsync, CommandTraits.Quiet),
        new("killSessions", CommandAccess.Everybody, EndAsync),
        new("killAllSessions", CommandAccess.Cluster(AccessAction.KillAnySession), EndAllAsync),
    ];

    private async ValueTask<ReadOnlyMemory<byte>> CommitAsync(CommandContext context)
    {
        var transaction = InTransaction(context);
        await sessions.CommitAsync(context.Session!, transaction, context.Acknowledgement, context.CancellationToken);
        return Reply.Ok;
    }

    private async ValueTask<ReadOnlyMemory<byte>> AbortAsync(CommandContext context)
    {
        await sessions.AbortAsync(InTransaction(context), "the client aborted it");
        return Reply.Ok;
    }

    private static Transaction InTransaction(CommandContext context) => context.Transaction
        ?? throw new CommandException(ErrorCode.NoSuchTransaction, $"{context.Request.Name} must be run within a transaction");

    private static ValueTask<ReadOnlyMemory<byte>> StartAsync(CommandContext context)
    {
        // Nothing is remembered of a session before something runs in it.
        var id = Guid.NewGuid();
        return ValueTask.FromResult(Reply.With(new BsonDocument
        {
            { "id", new BsonDocument("id", new BsonBinaryData(id, GuidRepresentation.Standard)) },
            { "timeoutMinutes", 30 },
        }));
    }

    private ValueTask<ReadOnlyMemory<byte>> RefreshAsync(CommandContext context)
    {
        foreach (var id in Ids(context))
        {
            sessions.Refresh(id, context.User.Name);
        }

        return ValueTask.FromResult(Reply.Ok);
    }

    private async ValueTask<ReadOnlyMemory<byte>> EndAsync(CommandContext context)
    {
        foreach (var id in Ids(context))
        {
            await sessions.EndSessionAsync(id, context.User.Name, context.CancellationToken);
        }

        return Reply.Ok;
    }

    /// <summary>Ends the sessions of the named users, or of all for an empty list.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> EndAllAsync(CommandContext context)
    {
        var users = context.ToTree()[0] is BsonArray list
            ? list
            : throw new CommandException(ErrorCode.TypeMismatch, "killAllSessions needs an array of users.");
        if (users.Count == 0)
        {
            await sessions.EndAllAsync(null, context.CancellationToken);
        }

        foreach (var user in users)
        {
            var name = user is BsonDocument document ? document.GetValue("user", "").ToString() : null;
            await sessions.EndAllAsync(
                name ?? throw new CommandException(ErrorCode.TypeMismatch, "killAllSessions needs documents {user, db}."), context.CancellationToken);
        }

        return Reply.Ok;
    }

    private static List<Guid> Ids(CommandContext context)
    {
        var ids = new List<Guid>();
        if (context.Request.Command.Type == BsonType.Array)
        {
            foreach (var element in context.Request.Command.Document)
            {
                if (ids.Count == MostIds)
                {
                    throw new CommandException(ErrorCode.BadValue, $"{context.Request.Name} takes {MostIds} sessions at most.");
                }

                if (element.Type != BsonType.Document || Request.SessionId(element.Document) is not { } id)
                {
                    throw new CommandException(ErrorCode.TypeMismatch, $"{context.Request.Name} needs an array of session ids.");
                }

                ids.Add(id);
            }
        }

        return ids;
    }
}
