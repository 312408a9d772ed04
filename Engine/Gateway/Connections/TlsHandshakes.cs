using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;
using Platform.Gateway.Clients;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Connections;

/// <summary>
/// The MongoDB port with TLS: connections without it are refused, and those that have not finished their handshake count as ones that have not logged in, for
/// the limits of addresses and for time.
/// </summary>
internal sealed partial class TlsHandshakes(
    ClientRegistry clients, IOptions<GatewayOptions> options, TimeProvider time, ILoggerFactory loggers)
{
    // The first byte of a record that has a handshake: https://www.rfc-editor.org/rfc/rfc8446#section-5.1
    private const byte HandshakeRecord = 22;

    private readonly ILogger _logger = loggers.CreateLogger<TlsHandshakes>();
    private long _lastId;

    /// <summary>Puts TLS in front of what is added to the endpoint later.</summary>
    /// <param name="endpoint">The MongoDB port.</param>
    public void Use(ListenOptions endpoint)
    {
        var certificate = new TlsCertificate(options.Value, time, loggers.CreateLogger<TlsCertificate>());
        endpoint.Use(next => connection => AcceptAsync(connection, next));
        endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            // The name is that of the web server's; what it wraps is any connection.
            OnConnection = _ => ValueTask.FromResult(certificate.Current()),
            // The sweeper ends them sooner, and says so.
            HandshakeTimeout = options.Value.MessageTimeout + TimeSpan.FromSeconds(5),
        });
        endpoint.Use(next => connection =>
        {
            connection.Features.GetRequiredFeature<Handshake>().IsDone = true;
            clients.Remove(connection.Features.GetRequiredFeature<Handshake>().Id);
            return next(connection);
        });
    }

    private async Task AcceptAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var remote = connection.RemoteEndPoint?.ToString() ?? "unknown";
        // Numbers of connections are positive.
        var handshake = new Handshake(Interlocked.Decrement(ref _lastId), remote, time) { Abort = connection.Abort };
        if (!clients.TryAdd(handshake))
        {
            LogFull(remote, options.Value.MaxConnections);
            return;
        }

        try
        {
            connection.Features.Set(handshake);
            var read = await connection.Transport.Input.ReadAsync(connection.ConnectionClosed);
            if (read.Buffer.IsEmpty)
            {
                return;
            }

            var isHandshake = read.Buffer.FirstSpan[0] == HandshakeRecord;
            // Nothing is taken: it is read again.
            connection.Transport.Input.AdvanceTo(read.Buffer.Start);
            if (!isHandshake)
            {
                LogPlain(remote);
                return;
            }

            await next(connection);
            if (!handshake.IsDone)
            {
                LogFailed(remote, handshake.CloseReason ?? "versions, ciphers or certificates do not match, or the client has left");
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionResetException or ConnectionAbortedException or IOException)
        {
            if (handshake.CloseReason is { } reason)
            {
                LogFailed(remote, reason);
            }
        }
        finally
        {
            clients.Remove(handshake.Id);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A connection from {Remote} is refused: it does not use TLS, and only such are taken")]
    private partial void LogPlain(string remote);

    [LoggerMessage(LogLevel.Warning, "The TLS handshake with {Remote} failed: {Reason}")]
    private partial void LogFailed(string remote, string reason);

    [LoggerMessage(LogLevel.Warning, "A connection from {Remote} is refused: {Limit} are open")]
    private partial void LogFull(string remote, int limit);

    /// <summary>A connection whose handshake is under way.</summary>
    private sealed class Handshake(long id, string remote, TimeProvider time) : Client(id, remote, time)
    {
        /// <summary>Whether it has succeeded.</summary>
        public bool IsDone { get; set; }

        /// <inheritdoc />
        public override void EndIfStalled(TimeSpan limit)
        {
            if (Silence > limit)
            {
                Close($"it took longer than {limit.TotalSeconds:0} s");
            }
        }
    }
}
