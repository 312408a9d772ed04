using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver.Core.Configuration;
using MongoDB.Driver.Core.Events;
using Attributes = Platform.Mongo.Connections.MongoMetrics.Attributes;

namespace Platform.Mongo.Connections;

/// <summary>
/// Has commands judged by an <see cref="ICommandGuard"/> before they are sent: the driver tells of a command when it has put it together and
/// has sent nothing of it, and what is thrown then reaches the caller, with the connection as good as before.
/// </summary>
internal sealed partial class CommandGuarding(
    ICommandGuard guard, IOptions<CommandGuardOptions> options, MongoMetrics metrics, ILogger<CommandGuarding> logger)
{
    // Objections name no values, so that there are few; who finds a way to make many is only counted.
    private const int MaxTold = 200;

    private readonly CommandGuardMode _mode = options.Value.Mode;
    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.Ordinal);

    /// <summary>Hears of the commands of a client, unless it is off.</summary>
    public void Subscribe(ClusterBuilder builder)
    {
        if (_mode != CommandGuardMode.Off)
        {
            builder.Subscribe<CommandStartedEvent>(Handle);
        }
    }

    internal void Handle(CommandStartedEvent started)
    {
        var database = started.DatabaseNamespace.DatabaseName;
        // Commands with secrets are told of without their contents.
        if (started.Command.ElementCount == 0 || guard.Objection(database, started.Command) is not { } objection)
        {
            return;
        }

        metrics.UntargetedCommands.Add(
            1,
            new KeyValuePair<string, object?>(Attributes.Namespace, database),
            new KeyValuePair<string, object?>(Attributes.Operation, started.CommandName));
        if (_mode == CommandGuardMode.Refuse)
        {
            throw new UntargetedCommandException(objection);
        }

        if (_told.Count < MaxTold && _told.TryAdd(objection, true))
        {
            Untargeted(logger, objection);
        }
    }

    [LoggerMessage(7, LogLevel.Warning, "{Objection}")]
    private static partial void Untargeted(ILogger logger, string objection);
}
