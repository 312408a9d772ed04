using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Transactions;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands;

/// <summary>A command that is being run.</summary>
internal sealed class CommandContext(Client client, Request request, BackendPool pool, CancellationToken cancellationToken)
{
    private readonly User? _user = client.User;

    /// <summary>The client's connection.</summary>
    public Client Client => client;

    /// <summary>What the client sent.</summary>
    public Request Request => request;

    /// <summary>Ends the command: the client is gone or its transaction's time is over.</summary>
    public CancellationToken CancellationToken { get; set; } = cancellationToken;

    /// <summary>The logical session, when the command is a retryable write or part of a transaction.</summary>
    public Session? Session { get; set; }

    /// <summary>The transaction the command is part of.</summary>
    public Transaction? Transaction { get; set; }

    /// <summary>How long it waited for something to happen, as it was asked to: that does not make it slow.</summary>
    public TimeSpan Waited { get; set; }

    /// <summary>Set by a command that failed in its reply, so that its transaction is undone.</summary>
    public bool FailsTransaction { get; set; }

    /// <summary>What a write waits for before it is acknowledged; null for what writes nothing, and where there is one member only.</summary>
    public Acknowledgement? Acknowledgement { get; set; }

    /// <summary>Who runs the command, as it was when it began; only for commands that need a login.</summary>
    public User User => _user ?? throw new InvalidOperationException("The command runs without a login.");

    /// <summary>What is remembered of a retryable write; null when the command is none.</summary>
    public RetryRecord? Retry { get; set; }

    /// <summary>The collection that the command's first field names; throws <see cref="CommandException"/> when it is no name.</summary>
    public string Collection => request.Target is { Length: > 0 } name
        ? Names.CheckCollection(request.Database, name)
        : throw new CommandException(
            ErrorCode.InvalidNamespace, $"collection name has invalid type {request.Command.Type.ToString().ToLowerInvariant()} or is empty");

    /// <summary>Database and collection for messages.</summary>
    public string Namespace => $"{request.Database}.{request.Target ?? "$cmd"}";

    /// <summary>The backend connection of the transaction, or a free one that acts as the user.</summary>
    public ValueTask<BackendLease> RentAsync() => Transaction is { } transaction
        ? ValueTask.FromResult(new BackendLease(transaction.Connection, null))
        : pool.RentAsync(User.Name, BackendShare.Of(User), CancellationToken, Acknowledgement);

    /// <summary>A free connection with the gateway's own rights, outside of any transaction.</summary>
    public ValueTask<BackendLease> RentAsGatewayAsync() =>
        pool.RentAsync(null, BackendShare.ErrandOf(_user?.Name ?? ""), CancellationToken, Acknowledgement);

    /// <summary>The role as which the backend's process of this number works; null for the gateway's own, and for others' processes.</summary>
    public string? RoleOf(int processId) => pool.RoleOf(processId);

    /// <summary>
    /// The document sequence of this name, or null. Throws <see cref="CommandException"/> for any other sequence: the
    /// backend would take it for this one.
    /// </summary>
    public DocumentSequence? Sequence(string name)
    {
        DocumentSequence? found = null;
        foreach (var sequence in request.Sequences)
        {
            found = sequence.Name == name
                ? sequence
                : throw new CommandException((ErrorCode)40415, $"BSON field '{request.Name}.{sequence.Name}' is an unknown field.");
        }

        return found;
    }

    /// <summary>The command as an object tree with its sequences as arrays, without the fields that no command body has.</summary>
    public BsonDocument ToTree(params ReadOnlySpan<string> without)
    {
        var tree = request.ToTree();
        foreach (var name in without)
        {
            tree.Remove(name);
        }

        return tree;
    }
}
