using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;
using Platform.Gateway.Auditing;
using Platform.Gateway.Clients;
using Platform.Gateway.Commands.Execution;
using Platform.Gateway.Cursors;
using Platform.Gateway.Sessions;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Platform.Gateway.Telemetry;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Connections;

/// <summary>Serves the connections that Kestrel accepts on the MongoDB port.</summary>
internal sealed partial class MongoConnectionHandler(
    CommandExecutor executor,
    LogicalClock clock,
    ClientRegistry clients,
    SessionStore sessions,
    CursorStore cursors,
    Auditor auditor,
    GatewayMetrics metrics,
    BusyWait busyWait,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<MongoConnectionHandler> logger) : ConnectionHandler
{
    private long _lastId;

    /// <inheritdoc />
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var id = Interlocked.Increment(ref _lastId);
        var remote = connection.RemoteEndPoint?.ToString() ?? "unknown";
        metrics.Connected();
        ClientConnection? served = null;
        try
        {
            LogConnected(id, remote);
            var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
            var socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
            using var client = new ClientConnection(id, remote, connection.Transport, executor, clock, metrics, busyWait, socket, time)
            {
                Abort = connection.Abort,
                LocalEndPoint = connection.LocalEndPoint as IPEndPoint,
            };
            if (!clients.TryAdd(client))
            {
                LogFull(remote, options.Value.MaxConnections);
                return;
            }

            served = client;
            await client.RunAsync(connection.ConnectionClosed, closing);
            LogDisconnected(id, remote);
        }
        catch (Exception e) when (e is ProtocolException or BsonFormatException)
        {
            LogClosed(id, remote, Printable.Of(e.Message));
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionResetException or ConnectionAbortedException or IOException)
        {
            LogDisconnected(id, remote);
        }
        catch (Exception e)
        {
            LogFailed(e, id, remote);
        }
        finally
        {
            clients.Remove(id);
            metrics.Disconnected();
            if (served is not null)
            {
                sessions.Orphan(id);
                cursors.Orphan(served);
                await auditor.LeftAsync(served);
                if (served.CloseReason is { } reason)
                {
                    LogClosed(id, remote, reason);
                }
            }
        }
    }

    [LoggerMessage(LogLevel.Debug, "Connection {Connection} from {Remote} opened")]
    private partial void LogConnected(long connection, string remote);

    [LoggerMessage(LogLevel.Debug, "Connection {Connection} from {Remote} ended")]
    private partial void LogDisconnected(long connection, string remote);

    [LoggerMessage(LogLevel.Warning, "A connection from {Remote} is refused: {Limit} are open")]
    private partial void LogFull(string remote, int limit);

    [LoggerMessage(LogLevel.Warning, "Connection {Connection} from {Remote} is closed: {Reason}")]
    private partial void LogClosed(long connection, string remote, string reason);

    [LoggerMessage(LogLevel.Error, "Connection {Connection} from {Remote} failed")]
    private partial void LogFailed(Exception exception, long connection, string remote);
}
