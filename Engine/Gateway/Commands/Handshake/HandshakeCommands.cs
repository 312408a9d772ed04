using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Authentication;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Clients;
using Platform.Gateway.Cursors;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Scram;

namespace Platform.Gateway.Commands.Handshake;

/// <summary>What a client says before and while it logs in.</summary>
internal sealed class HandshakeCommands(
    HelloStream hello, Authenticator authenticator, SessionStore sessions, CursorStore cursors, MemberState state, TimeProvider time) : ICommandFamily
{
    private const CommandTraits Handshake = CommandTraits.BeforeLogin | CommandTraits.Quiet;

    private const int LongestMetadata = 512;
    private const int LongestApplicationName = 128;

    // A driver that opens a connection while the backend restarts has chosen this member already; an error would reach
    // the application.
    private static readonly TimeSpan s_loginPatience = TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("hello", CommandAccess.Everybody, HelloAsync, Handshake),
        new("isMaster", CommandAccess.Everybody, HelloAsync, Handshake, "ismaster"),
        new("saslStart", CommandAccess.Everybody, SaslStartAsync, Handshake | CommandTraits.Secret),
        new("saslContinue", CommandAccess.Everybody, SaslContinueAsync, Handshake | CommandTraits.Secret),
        new("logout", CommandAccess.Everybody, LogoutAsync, Handshake),
    ];

    private async ValueTask<ReadOnlyMemory<byte>> HelloAsync(CommandContext context)
    {
        var request = context.Request;
        if (request.TryGet("maxAwaitTimeMS"u8, out _))
        {
            return await hello.AwaitAsync(context.Client, request, context.CancellationToken);
        }

        var reply = hello.Describe(context.Client, request);
        if (request.TryGet("client"u8, out var metadata))
        {
            context.Client.Metadata = Metadata(context.Client, metadata);
        }

        if (request.TryGet("compression"u8, out var compression) && compression.Type == BsonType.Array)
        {
            foreach (var offered in compression.Document)
            {
                if (offered.StringBytes.SequenceEqual("zlib"u8))
                {
                    reply.Add("compression", new BsonArray { "zlib" });
                    break;
                }
            }
        }

        if (request.TryGet("saslSupportedMechs"u8, out _))
        {
            reply.Add("saslSupportedMechs", new BsonArray { ScramClient.Mechanism });
        }

        if (request.TryGet("speculativeAuthenticate"u8, out var speculative) && speculative.Type == BsonType.Document)
        {
            try
            {
                reply.Add(
                    "speculativeAuthenticate",
                    await authenticator.StartAsync(context.Client, speculative.Document, context.CancellationToken));
            }
            catch (Exception e) when (ErrorMapping.ToCommandException(e, inTransaction: false) is not null)
            {
                // A failed attempt, also one that the backend did not live through, leaves the field out; the client then logs in by saslStart and sees the
                // error. Drivers repeat what fails there, but not what a hello refuses.
            }
        }

        return Reply.With(reply);
    }

    /// <summary>What a client says about itself, once and in few words; throws <see cref="CommandException"/> otherwise.</summary>
    private static BsonDocument Metadata(Client client, RawElement given)
    {
        if (given.Type != BsonType.Document)
        {
            throw new CommandException(
                ErrorCode.TypeMismatch, $"The 'client' field must be a BSON document, but is {given.Type.ToString().ToLowerInvariant()}");
        }

        if (given.Value.Length > LongestMetadata)
        {
            throw new CommandException(
                ErrorCode.ClientMetadataDocumentTooLarge, $"The client metadata document must be less then or equal to {LongestMetadata} bytes");
        }

        if (client.Metadata is not null)
        {
            throw new CommandException(ErrorCode.ClientMetadataCannotBeMutated, "The client metadata document may only be sent in the first hello");
        }

        var metadata = given.Document.ToTree();
        if (metadata.TryGetValue("application", out var application) && application is BsonDocument about
            && about.TryGetValue("name", out var name) && name is BsonString text && Encoding.UTF8.GetByteCount(text.Value) > LongestApplicationName)
        {
            throw new CommandException(
                ErrorCode.ClientMetadataAppNameTooLarge,
                $"The 'client.application.name' field must be less than or equal to {LongestApplicationName} bytes");
        }

        return metadata;
    }

    private async ValueTask<ReadOnlyMemory<byte>> SaslStartAsync(CommandContext context)
    {
        await state.WaitAvailableAsync(s_loginPatience, time, context.CancellationToken);
        return Reply.With(await authenticator.StartAsync(context.Client, context.Request.Body, context.CancellationToken));
    }

    private async ValueTask<ReadOnlyMemory<byte>> SaslContinueAsync(CommandContext context)
    {
        await state.WaitAvailableAsync(s_loginPatience, time, context.CancellationToken);
        return Reply.With(await authenticator.ContinueAsync(context.Client, context.Request.Body, context.CancellationToken));
    }

    private ValueTask<ReadOnlyMemory<byte>> LogoutAsync(CommandContext context)
    {
        sessions.Orphan(context.Client.Id);
        cursors.Orphan(context.Client);
        context.Client.User = null;
        context.Client.Login = null;
        return ValueTask.FromResult(Reply.Ok);
    }
}
