using System.Collections.Frozen;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Replication;

/// <summary>Takes messages from the gateways of the other members.</summary>
internal sealed partial class MemberListener(
    IEnumerable<IMessageHandler> handlers, IOptions<GatewayOptions> options, ILogger<MemberListener> logger) : BackgroundService
{
    private const int Backlog = 64;

    private readonly FrozenDictionary<string, IMessageHandler> _handlers = handlers.ToFrozenDictionary(h => h.Name, StringComparer.Ordinal);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var settings = options.Value;
        if (!settings.IsManaged)
        {
            return;
        }

        MemberSockets.Prepare(settings.SocketDirectory!);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // Left behind by a gateway that was killed; another one of this member does not run, or the script above it would not have started this one.
        File.Delete(MemberSockets.PathOf(settings.SocketDirectory!, settings.Member));
        listener.Bind(MemberSockets.EndPoint(settings.SocketDirectory!, settings.Member));
        listener.Listen(Backlog);
        try
        {
            while (true)
            {
                _ = ServeAsync(await listener.AcceptAsync(stoppingToken), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            while (await MemberSockets.ReceiveAsync(stream, cancellationToken) is { } message)
            {
                await MemberSockets.SendAsync(stream, await AnswerAsync(message, cancellationToken), cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogEnded(e.Message);
        }
    }

    private async ValueTask<BsonDocument> AnswerAsync(BsonDocument message, CancellationToken cancellationToken)
    {
        var name = message.ElementCount > 0 ? message.GetElement(0).Name : "";
        if (!_handlers.TryGetValue(name, out var handler))
        {
            return new BsonDocument { { "ok", 0 }, { "errmsg", $"There is no message '{name}'." } };
        }

        try
        {
            return await handler.AnswerAsync(message, cancellationToken);
        }
#pragma warning disable CA1031 // Whoever asked learns of it, and the others go on being served.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogFailed(e, name);
            return new BsonDocument { { "ok", 0 }, { "errmsg", e.Message } };
        }
    }

    [LoggerMessage(LogLevel.Debug, "A connection of another member has ended: {Reason}")]
    private partial void LogEnded(string reason);

    [LoggerMessage(LogLevel.Warning, "The message {Name} of another member could not be answered")]
    private partial void LogFailed(Exception exception, string name);
}
