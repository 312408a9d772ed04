using MongoDB.Bson;
using Platform.Gateway.Authentication;
using Platform.Gateway.Engine;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Commands;

/// <summary>What a client says before and while it logs in.</summary>
internal sealed class HandshakeCommands(HelloStream hello, Authenticator authenticator, EngineState state, TimeProvider time) : ICommandFamily
{
    private const CommandTraits Handshake = CommandTraits.BeforeLogin | CommandTraits.Quiet;

    // A driver that opens a connection while the engine restarts has chosen this member already; an error would reach
    // the application.
    private static readonly TimeSpan s_loginPatience = TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("hello", HelloAsync, Handshake),
        new("isMaster", HelloAsync, Handshake, "ismaster"),
        new("saslStart", SaslStartAsync, Handshake | CommandTraits.Secret),
        new("saslContinue", SaslContinueAsync, Handshake | CommandTraits.Secret),
        new("logout", LogoutAsync, Handshake),
    ];

    private async ValueTask<ReadOnlyMemory<byte>> HelloAsync(CommandContext context)
    {
        var request = context.Request;
        if (request.TryGet("maxAwaitTimeMS"u8, out _))
        {
            return await hello.AwaitAsync(context.Client, request, context.CancellationToken);
        }

        var reply = hello.Describe(context.Client, request);
        if (context.Client.Metadata is null && request.TryGet("client"u8, out var metadata) && metadata.Type == BsonType.Document)
        {
            context.Client.Metadata = metadata.Document.ToTree();
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
            reply.Add("saslSupportedMechs", new BsonArray { Authenticator.Mechanism });
        }

        if (request.TryGet("speculativeAuthenticate"u8, out var speculative) && speculative.Type == BsonType.Document)
        {
            try
            {
                reply.Add(
                    "speculativeAuthenticate",
                    await authenticator.StartAsync(context.Client, speculative.Document, context.CancellationToken));
            }
            catch (CommandException)
            {
                // A failed attempt leaves the field out; the client then logs in by saslStart and sees the error.
            }
        }

        return Reply.With(reply);
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
        context.Client.User = null;
        context.Client.Login = null;
        return ValueTask.FromResult(Reply.Ok);
    }
}
