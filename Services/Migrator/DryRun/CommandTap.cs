using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Servers;
using Platform.Mongo.Connections;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Migrator.DryRun;

/// <summary>
/// A port on this machine between a driver and the server's primary. Each command is shown to a function before anything of it is
/// sent, and goes on only when the function says so; nothing in the driver can go around it.
/// </summary>
/// <remarks>
/// The driver's end is plain and on the loopback interface; the server's end has TLS when the connection string says so. Logging in
/// goes through (SCRAM does not depend on the connection).
/// <see href="https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md"/>
/// </remarks>
internal sealed class CommandTap : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly EndPoint _server;
    private readonly MongoClientSettings _settings;
    private readonly Func<TappedCommand, TapDecision> _decide;
    private readonly Lock _gate = new();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;

    private CommandTap(EndPoint server, MongoClientSettings settings, Func<TappedCommand, TapDecision> decide)
    {
        _server = server;
        _settings = settings;
        _decide = decide;
        _listener.Start();
        Client = new MongoClient(Tapped(settings, (IPEndPoint)_listener.LocalEndpoint));
        _accepting = AcceptAsync();
    }

    /// <summary>A client that reaches the server through the tap.</summary>
    public MongoClient Client { get; }

    /// <summary>Opens a tap in front of the primary that a client knows.</summary>
    /// <param name="client">The client; it must have reached the server once.</param>
    /// <param name="decide">Decides on each command; called by several connections at once.</param>
    /// <exception cref="InvalidOperationException">The client knows no primary.</exception>
    public static CommandTap Open(IMongoClient client, Func<TappedCommand, TapDecision> decide)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(decide);
        var primary = client.Cluster.Description.Servers.FirstOrDefault(
            server => server.Type is ServerType.ReplicaSetPrimary or ServerType.Standalone or ServerType.ShardRouter)
            ?? throw new InvalidOperationException("No primary is known, so there is nothing to put the tap in front of.");
        return new CommandTap(primary.EndPoint, client.Settings, decide);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] connections;
        lock (_gate)
        {
            connections = [.. _connections];
        }

        await Task.WhenAll(connections);
        _stop.Dispose();
    }

    private static MongoClientSettings Tapped(MongoClientSettings settings, IPEndPoint tap)
    {
        var tapped = settings.Clone();
        tapped.Scheme = MongoDB.Driver.Core.Configuration.ConnectionStringScheme.MongoDB;
        tapped.AskOnly(new MongoServerAddress(tap.Address.ToString(), tap.Port));
        tapped.LoadBalanced = false;
        tapped.UseTls = false;
        tapped.Compressors = [];
        tapped.MinConnectionPoolSize = 0;
        tapped.ReadPreference = ReadPreference.Primary;
        return tapped;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var driver = await _listener.AcceptTcpClientAsync(_stop.Token);
                lock (_gate)
                {
                    _connections.RemoveAll(connection => connection.IsCompleted);
                    _connections.Add(Task.Run(() => ServeAsync(driver)));
                }
            }
        }
        catch (Exception exception)
            when (_stop.IsCancellationRequested && exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It was closed.
        }
    }

    private async Task ServeAsync(TcpClient driver)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        using (driver)
        {
            driver.NoDelay = true;
            try
            {
                await using var server = await ConnectAsync(ended.Token);
                var toDriver = driver.GetStream();
                var sending = new SemaphoreSlim(1);
                var back = BackAsync(server, toDriver, sending, ended.Token);
                var forth = ForthAsync(toDriver, server, sending, ended.Token);
                await Task.WhenAny(back, forth);
                await ended.CancelAsync();
                await Task.WhenAll(back, forth);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException
                or ObjectDisposedException or ProtocolException or BsonFormatException)
            {
                // One of the two ends is gone: closing the other tells the driver, which reports it.
            }
        }
    }

    private async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_server, cancellationToken);
            var stream = new NetworkStream(socket, ownsSocket: true);
            if (!_settings.UseTls)
            {
                return stream;
            }

            var tls = _settings.SslSettings;
#pragma warning disable CA5359 // Only when the connection string asks for it, as the driver would.
            RemoteCertificateValidationCallback? check = _settings.AllowInsecureTls ? (_, _, _, _) => true : tls?.ServerCertificateValidationCallback;
#pragma warning restore CA5359
            var secure = new SslStream(stream, leaveInnerStreamOpen: false);
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = _server is DnsEndPoint dns ? dns.Host : ((IPEndPoint)_server).Address.ToString(),
                    EnabledSslProtocols = tls?.EnabledSslProtocols ?? System.Security.Authentication.SslProtocols.None,
                    ClientCertificates = tls?.ClientCertificates is { } certificates ? [.. certificates] : null,
                    RemoteCertificateValidationCallback = check,
                    CertificateRevocationCheckMode = tls?.CheckCertificateRevocation == true
                        ? System.Security.Cryptography.X509Certificates.X509RevocationMode.Online
                        : System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
                },
                cancellationToken);
            return secure;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task BackAsync(Stream server, Stream driver, SemaphoreSlim sending, CancellationToken cancellationToken)
    {
        using var reader = Reader(server);
        while (await reader.ReadAsync(WireLimits.MaxMessageLength, cancellationToken))
        {
            await SendAsync(driver, reader.Message, sending, cancellationToken);
        }
    }

    private async Task ForthAsync(Stream driver, Stream server, SemaphoreSlim sending, CancellationToken cancellationToken)
    {
        using var reader = Reader(driver);
        while (await reader.ReadAsync(WireLimits.MaxMessageLength, cancellationToken))
        {
            // The driver says hello in an older form before it knows the server; that form cannot write.
            if (reader.Header.OpCode != OpCode.Msg)
            {
                await server.WriteAsync(reader.Message, cancellationToken);
                continue;
            }

            var message = Message.Read(reader.Header, reader.Message);
            var command = Command(message);
            var decision = _decide(command);
            if (decision.Reply is null)
            {
                await server.WriteAsync(
                    decision.Replacement is null ? reader.Message : Compose(reader.Header.RequestId, responseTo: 0, decision.Replacement), cancellationToken);
            }
            else if (!message.Flags.HasFlag(MessageFlags.MoreToCome))
            {
                await SendAsync(driver, Compose(reader.Header.RequestId, reader.Header.RequestId, decision.Reply), sending, cancellationToken);
            }
        }
    }

    // Whole messages only, one at a time: an answer of ours must not fall into one of the server's.
    private static async Task SendAsync(Stream driver, ReadOnlyMemory<byte> message, SemaphoreSlim sending, CancellationToken cancellationToken)
    {
        await sending.WaitAsync(cancellationToken);
        try
        {
            await driver.WriteAsync(message, cancellationToken);
        }
        finally
        {
            sending.Release();
        }
    }

    private static MessageReader Reader(Stream stream) => new(PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true)), TimeProvider.System);

    private static TappedCommand Command(in Message message)
    {
        var command = message.ToTree();
        return new TappedCommand(command.ElementCount == 0 ? "" : command.GetElement(0).Name, command.GetValue("$db", "").AsString, command);
    }

    private static byte[] Compose(int requestId, int responseTo, BsonDocument document) =>
        MessageWriter.ToBytes(requestId, document.ToRaw().Span, responseTo: responseTo);
}
