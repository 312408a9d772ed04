using System.Net.Sockets;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>
/// Sends messages, each on a connection of its own: that costs little on a Unix socket, and nothing waits behind a member that hangs.
/// </summary>
internal sealed class MemberMessages(IOptions<GatewayOptions> options) : IMemberMessages
{
    /// <inheritdoc />
    public async ValueTask<BsonDocument> AskAsync(Member member, BsonDocument message, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        BsonDocument? answer;
        try
        {
            await socket.ConnectAsync(MemberSockets.EndPoint(options.Value.SocketDirectory!, member.Number), cancellationToken);
            await using var stream = new NetworkStream(socket);
            await MemberSockets.SendAsync(stream, message, cancellationToken);
            answer = await MemberSockets.ReceiveAsync(stream, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new MemberUnreachableException($"{member.Host} does not answer: {e.Message}", e);
        }

        return answer is null ? throw new MemberUnreachableException($"{member.Host} closed the connection without an answer.")
            : answer.TryGetValue("errmsg", out var error) ? throw new MemberUnreachableException($"{member.Host} refused: {error}")
            : answer;
    }
}
