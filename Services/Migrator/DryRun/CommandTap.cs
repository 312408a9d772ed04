using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using MongoDB.Driver.Core.Servers;

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
    private const int HeaderLength = 16;
    private const int MaxMessageLength = 48_000_000;
    private const int OpMsg = 2013;
    private const uint MoreToCome = 2;
    private const uint ChecksumPresent = 1;

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
        tapped.Server = new MongoServerAddress(tap.Address.ToString(), tap.Port);
        tapped.ReplicaSetName = null;
        tapped.LoadBalanced = false;
        tapped.DirectConnection = true;
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
        catch (Exception exception) when (_stop.IsCancellationRequested && exception is OperationCanceledException or SocketException or ObjectDisposedException)
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
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
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
        var header = new byte[HeaderLength];
        while (await ReadMessageAsync(server, header, cancellationToken) is { } message)
        {
            await SendAsync(driver, message, sending, cancellationToken);
        }
    }

    private async Task ForthAsync(Stream driver, Stream server, SemaphoreSlim sending, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderLength];
        while (await ReadMessageAsync(driver, header, cancellationToken) is { } message)
        {
            // The driver says hello in an older form before it knows the server; that form cannot write.
            if (BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(12)) != OpMsg)
            {
                await server.WriteAsync(message, cancellationToken);
                continue;
            }

            var flags = BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(HeaderLength));
            var command = Parse(message, flags);
            var decision = _decide(command);
            if (decision.Reply is null)
            {
                await server.WriteAsync(decision.Replacement is null ? message : Compose(message, responseTo: 0, decision.Replacement), cancellationToken);
            }
            else if ((flags & MoreToCome) == 0)
            {
                await SendAsync(driver, Compose(message, BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(4)), decision.Reply), sending, cancellationToken);
            }
        }
    }

    // Whole messages only, one at a time: an answer of ours must not fall into one of the server's.
    private static async Task SendAsync(Stream driver, byte[] message, SemaphoreSlim sending, CancellationToken cancellationToken)
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

    private static async Task<byte[]?> ReadMessageAsync(Stream stream, byte[] header, CancellationToken cancellationToken)
    {
        var read = await stream.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, cancellationToken);
        if (read < HeaderLength)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < HeaderLength or > MaxMessageLength)
        {
            throw new IOException($"A message has a length of {length} bytes.");
        }

        var message = new byte[length];
        header.CopyTo(message, 0);
        await stream.ReadExactlyAsync(message.AsMemory(HeaderLength), cancellationToken);
        return message;
    }

    private static TappedCommand Parse(byte[] message, uint flags)
    {
        var end = message.Length - ((flags & ChecksumPresent) != 0 ? 4 : 0);
        var command = new BsonDocument();
        var sequences = new List<(string Name, BsonArray Documents)>();
        for (var at = HeaderLength + 4; at < end;)
        {
            var kind = message[at++];
            var length = BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(at));
            if (kind == 0)
            {
                command = Document(message, at, length);
            }
            else
            {
                var name = at + 4;
                var documents = Array.IndexOf(message, (byte)0, name) + 1;
                var sequence = new BsonArray();
                for (var next = documents; next < at + length;)
                {
                    var size = BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(next));
                    sequence.Add(Document(message, next, size));
                    next += size;
                }

                sequences.Add((System.Text.Encoding.UTF8.GetString(message, name, documents - name - 1), sequence));
            }

            at += length;
        }

        foreach (var (name, documents) in sequences)
        {
            command[name] = documents;
        }

        return new TappedCommand(command.ElementCount == 0 ? "" : command.GetElement(0).Name, command.GetValue("$db", "").AsString, command);
    }

    private static BsonDocument Document(byte[] message, int at, int length) =>
        BsonSerializer.Deserialize<BsonDocument>(new MemoryStream(message, at, length, writable: false));

    private static byte[] Compose(byte[] request, int responseTo, BsonDocument document)
    {
        var body = document.ToBson(writerSettings: new BsonBinaryWriterSettings { MaxDocumentSize = MaxMessageLength });
        var message = new byte[HeaderLength + 5 + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(4)));
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(8), responseTo);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), OpMsg);
        body.CopyTo(message, HeaderLength + 5);
        return message;
    }
}
