using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MongoDB.Bson;
using StackExchange.Redis;

namespace Platform.SecurityTool.Checks;

/// <summary>Asks servers on their ports what they take: words without TLS, old versions of it, and which certificate they show.</summary>
internal static class TlsProbe
{
    private const int LeastDays = 14;
    private const int OpMsg = 2013;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>An OP_MSG with <c>{hello: 1, $db: "admin"}</c>. <see href="https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/"/></summary>
    public static ReadOnlyMemory<byte> MongoHello { get; } = Hello();

    /// <summary>The command <c>PING</c> of Redis.</summary>
    public static ReadOnlyMemory<byte> RedisPing { get; } = "*1\r\n$4\r\nPING\r\n"u8.ToArray();

    private static byte[] Hello()
    {
        var command = new BsonDocument { { "hello", 1 }, { "$db", "admin" } }.ToBson();
        var message = new byte[16 + 4 + 1 + command.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), 1);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), OpMsg);
        command.CopyTo(message, 21);
        return message;
    }

    /// <summary>Judges the encryption of servers.</summary>
    /// <param name="servers">Their addresses.</param>
    /// <param name="greeting">What a server would answer without a login.</param>
    /// <param name="authority">Who has signed the certificates; null: the authorities of this machine.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    public static async Task<CheckOutcome> JudgeAsync(
        IReadOnlyList<DnsEndPoint> servers, ReadOnlyMemory<byte> greeting, TrustedAuthority? authority, CancellationToken cancellationToken)
    {
        var against = new List<string>();
        DateTimeOffset? expires = null;
        foreach (var server in servers)
        {
            var name = EndPointCollection.ToString(server);
            if (await AnswersAsync(server, greeting, cancellationToken))
            {
                against.Add($"{name} answers a client that does not use TLS.");
                continue;
            }

#pragma warning disable CA5397, SYSLIB0039 // Whether the server takes the old versions is the question.
            if (await HandshakeAsync(server, SslProtocols.Tls | SslProtocols.Tls11, null, cancellationToken) is not null)
#pragma warning restore CA5397, SYSLIB0039
            {
                against.Add($"{name} takes TLS 1.1 or older.");
            }

            if (await HandshakeAsync(server, SslProtocols.Tls12 | SslProtocols.Tls13, (authority, server.Host), cancellationToken) is not { } until)
            {
                against.Add($"{name} shows no certificate that clients can trust for it.");
                continue;
            }

            expires = expires is { } first && first < until ? first : until;
            if (until - DateTimeOffset.UtcNow < TimeSpan.FromDays(LeastDays))
            {
                against.Add(string.Create(CultureInfo.InvariantCulture, $"{name} has a certificate until {until:yyyy-MM-dd} only."));
            }
        }

        return CheckOutcome.Of(against, string.Create(
            CultureInfo.InvariantCulture, $"{Counted.Of(servers.Count, "port")}, none answers without TLS, certificates until {expires:yyyy-MM-dd}"));
    }

    /// <summary>Whether a server answers words that are not encrypted.</summary>
    public static async Task<bool> AnswersAsync(DnsEndPoint server, ReadOnlyMemory<byte> greeting, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Host, server.Port, patience.Token);
        try
        {
            await socket.SendAsync(greeting, patience.Token);
            var answer = new byte[7];
            var read = await socket.ReceiveAsync(answer, patience.Token);
            // An alert of TLS (content type 21, version 3.x) is no answer: the server took the words for a handshake.
            return read > 0 && !(answer[0] == 21 && answer[1] == 3);
        }
        catch (Exception exception) when (exception is SocketException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    // Until when the certificate is valid; null when there is no connection. Without 'trusted', any certificate will do.
    private static async Task<DateTimeOffset?> HandshakeAsync(
        DnsEndPoint server, SslProtocols versions, (TrustedAuthority? Authority, string Host)? trusted, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Host, server.Port, patience.Token);
        await using var tls = new SslStream(new NetworkStream(socket));
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = server.Host,
                    EnabledSslProtocols = versions,
                    RemoteCertificateValidationCallback = (sender, certificate, chain, errors) => trusted switch
                    {
                        null => true,
                        ({ } authority, _) => authority.IsTrusted(sender, certificate, chain, errors),
                        _ => errors == SslPolicyErrors.None,
                    },
                },
                patience.Token);
            return tls.RemoteCertificate is X509Certificate2 shown ? shown.NotAfter.ToUniversalTime() : null;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}
