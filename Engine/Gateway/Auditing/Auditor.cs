using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Platform.Audit;
using Platform.Gateway.Access;
using Platform.Gateway.Clients;
using Platform.Gateway.Commands;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Settings;
using Platform.Wire.Bson;
using Platform.Wire.Scram;

namespace Platform.Gateway.Auditing;

/// <summary>
/// Records in the audit log what commands came to: those that the table of commands says so of, whatever is refused for want of rights, and where the settings
/// ask for it, what was allowed. A command is answered when its record is written. While the log cannot be written, logins and what changes users, rights and
/// structure are refused; data is served on to who is logged in.
/// </summary>
internal sealed partial class Auditor(IOptions<GatewayOptions> options, TimeProvider time, ILogger<Auditor> logger) : IHostedService, IAsyncDisposable
{
    // The process before may need a moment to end.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly string[] _namespaces =
        (options.Value.Audit.Namespaces ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private AuditLog? _log;

    /// <summary>Whether anything is recorded.</summary>
    public bool IsOn => _log is not null;

    /// <summary>Why the log cannot be written at present; null when it can, or is off.</summary>
    public string? Trouble => _log?.Trouble;

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value;
        if (!settings.Audit.IsOn)
        {
            return;
        }

        _log = await AuditLog.OpenAsync(settings.Audit, ResourceNames.Member(settings.Member), s_patience, time, cancellationToken);
        foreach (var found in _log.Found)
        {
            LogFound(found);
        }

        await _log.WriteAsync(
            new AuditEvent(AuditTypes.Startup, time.GetUtcNow())
            {
                Param = new JsonObject
                {
                    ["startupOptions"] = new JsonObject
                    {
                        ["host"] = settings.Host,
                        ["replSet"] = settings.ReplicaSet,
                        ["tls"] = settings.TlsCertificateFile is { Length: > 0 },
                        ["audit"] = new JsonObject { ["namespaces"] = string.Join(',', _namespaces) },
                    },
                },
            },
            toDisk: true);
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_log is not { } log)
        {
            return;
        }

        try
        {
            await log.WriteAsync(new AuditEvent(AuditTypes.Shutdown, time.GetUtcNow()), toDisk: true);
        }
        catch (AuditUnavailableException e)
        {
            LogUnrecorded(AuditTypes.Shutdown, e.Message);
        }

        await log.DisposeAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _log?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>
    /// Refuses a command that has to be recorded while the log cannot be written: throws <see cref="CommandException"/>. Tries to write it before.
    /// </summary>
    public ValueTask RequireAsync(CommandDefinition definition) =>
        _log is { Trouble: not null } log && definition.Audit is { IsNeeded: true } ? RecoverAsync(log, definition.Name) : ValueTask.CompletedTask;

    /// <summary>Records what a command came to, if that has to be, and returns the reply: another one when that could not be recorded.</summary>
    /// <param name="client">Who sent it.</param>
    /// <param name="before">How the client was before.</param>
    /// <param name="request">The command.</param>
    /// <param name="definition">Its definition; null for a command that there is not.</param>
    /// <param name="failure">What it failed with.</param>
    /// <param name="reply">Its reply.</param>
    public ValueTask<ReadOnlyMemory<byte>> RecordAsync(
        Client client, ClientState before, Request request, CommandDefinition? definition, CommandException? failure, ReadOnlyMemory<byte> reply) =>
        _log is { } log && (definition?.Audit is not null || failure is { Code: ErrorCode.Unauthorized } || _namespaces.Length > 0)
            ? RecordAsync(log, client, before, request, definition, failure, reply)
            : ValueTask.FromResult(reply);

    private async ValueTask<ReadOnlyMemory<byte>> RecordAsync(
        AuditLog log, Client client, ClientState before, Request request, CommandDefinition? definition, CommandException? failure,
        ReadOnlyMemory<byte> reply)
    {
        try
        {
            var events = Events(client, before, request, definition, failure).ToList();
            for (var i = 0; i < events.Count; i++)
            {
                // The last brings those before it to the disk.
                var lasts = i == events.Count - 1 && definition?.Audit is { Lasts: true } && failure is not { Code: ErrorCode.Unauthorized };
                await log.WriteAsync(events[i], lasts);
            }

            return reply;
        }
        catch (AuditUnavailableException e)
        {
            LogUnrecorded(request.Name, e.Message);
            if (failure is not null)
            {
                return reply;
            }

            if (definition?.Audit?.Type == CommandAudit.Authenticate)
            {
                (client.User, client.Login) = (null, null);
            }

            return Reply.Error(new CommandException(
                ErrorCode.OperationFailed, $"{request.Name} was done, but could not be written to the audit log; the server's log says why."));
        }
    }

    /// <summary>A connection has ended: a login that it began and did not end is recorded.</summary>
    public async ValueTask LeftAsync(Client client)
    {
        if (_log is null || client.Login is not { IsProven: false } login)
        {
            return;
        }

        try
        {
            await _log.WriteAsync(Abandoned(client, login, "admin"), toDisk: false);
        }
        catch (AuditUnavailableException e)
        {
            LogUnrecorded(CommandAudit.Authenticate, e.Message);
        }
    }

    private async ValueTask RecoverAsync(AuditLog log, string command)
    {
        try
        {
            await log.RecoverAsync();
            LogRecovered();
        }
        catch (AuditUnavailableException e)
        {
            LogRefused(command, e.Message);
            throw new CommandException(
                ErrorCode.OperationFailed,
                "The audit log cannot be written, so logins and changes of users, rights and structure are refused; the server's log says why.");
        }
    }

    private IEnumerable<AuditEvent> Events(
        Client client, ClientState before, Request request, CommandDefinition? definition, CommandException? failure)
    {
        if (failure is { Code: ErrorCode.Unauthorized })
        {
            return [AuthorizationCheck(client, before, request, ErrorCode.Unauthorized)];
        }

        var own = definition?.Audit switch
        {
            null => [],
            { Type: CommandAudit.Authenticate } => Logins(client, before, request, failure),
            var audit => Described(audit, request).Select(param => Event(audit.Type, client, before.User, param, failure)),
        };
        return definition is not null && !definition.Traits.HasFlag(CommandTraits.BeforeLogin) && before.User is not null && IsAudited(request)
            ? own.Append(AuthorizationCheck(client, before, request, ErrorCode.OK))
            : own;
    }

    private IEnumerable<AuditEvent> Logins(Client client, ClientState before, Request request, CommandException? failure)
    {
        var begins = request.Name == "saslStart";
        if (begins && before is { Login: { } left, IsProven: false })
        {
            yield return Abandoned(client, left, request.Database);
        }

        // Of a login that begins well, or whose last, empty exchange this was, there is nothing to tell.
        if (failure is null && (begins || before.IsProven))
        {
            yield break;
        }

        var mechanism = begins && request.TryGet("mechanism"u8, out var given) ? given.Text : ScramClient.Mechanism;
        yield return Event(
            CommandAudit.Authenticate, client, failure is null ? client.User : null,
            Login(begins ? null : before.Login?.User, request.Database, mechanism, failure?.Reason), failure);
    }

    private AuditEvent Abandoned(Client client, Login login, string database) =>
        Event(CommandAudit.Authenticate, client, null, Login(login.User, database, ScramClient.Mechanism, null), null) with
        {
            Result = (int)ErrorCode.AuthenticationAbandoned,
        };

    private static JsonObject Login(string? user, string database, string? mechanism, string? reason)
    {
        var login = new JsonObject { ["user"] = user ?? "", ["db"] = database, ["mechanism"] = mechanism };
        if (reason is not null)
        {
            login["reason"] = reason;
        }

        return login;
    }

    private AuditEvent AuthorizationCheck(Client client, ClientState before, Request request, ErrorCode result) =>
        Event(CommandAudit.AuthorizationCheck, client, before.User, new() { ["command"] = request.Name, ["ns"] = Namespace(request) }, null) with
        {
            Result = (int)result,
        };

    private AuditEvent Event(string type, Client client, User? user, JsonObject param, CommandException? failure) => new(type, time.GetUtcNow())
    {
        Connection = client.AuditId,
        Local = client.LocalEndPoint,
        Remote = IPEndPoint.TryParse(client.RemoteEndPoint, out var remote) ? remote : null,
        Users = user is null ? [] : [(user.Name, user.Database)],
        Roles = [.. (user?.Roles ?? []).Select(role => (role.Role, role.Database))],
        Param = param,
        Result = (int)(failure?.Code ?? ErrorCode.OK),
    };

    private static List<JsonObject> Described(CommandAudit audit, Request request)
    {
        try
        {
            return [.. audit.Describe(request)];
        }
        catch (BsonFormatException)
        {
            // Malformed beyond what the command itself looked at.
            return [new() { ["ns"] = Namespace(request) }];
        }
    }

    private bool IsAudited(Request request) => _namespaces.Length > 0
        && Array.Exists(_namespaces, name => name == "*" || name == request.Database || name == Namespace(request));

    private static string Namespace(Request request) => request.Target is { } target ? $"{request.Database}.{target}" : request.Database;

    [LoggerMessage(LogLevel.Critical, "{Found} The audit log has a record of it")]
    private partial void LogFound(string found);

    [LoggerMessage(LogLevel.Critical, "{What} was not recorded: {Reason}")]
    private partial void LogUnrecorded(string what, string reason);

    [LoggerMessage(LogLevel.Critical, "{Command} is refused: {Reason}")]
    private partial void LogRefused(string command, string reason);

    [LoggerMessage(LogLevel.Warning, "The audit log can be written again")]
    private partial void LogRecovered();
}
