using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Tests.TestKit.Mongod;

/// <summary>
/// A member of a replica set that holds no data: it takes mongod's arguments, is initiated and configured, has users, elects the first member
/// that runs, and answers what drivers, mongosh and the AppHost ask on the way to a healthy set. Everything else is a command that it
/// does not know. With it the start of a set is tried where there is no mongod.
/// </summary>
/// <param name="set">The replica set's name.</param>
/// <param name="directory">Its data directory.</param>
/// <param name="port">Its port.</param>
/// <param name="address">The address that it listens on.</param>
/// <param name="certificate">With it, only TLS connections are taken.</param>
internal sealed class ScriptedMongod(string set, string directory, int port, IPAddress address, X509Certificate2? certificate)
{
    private readonly MemberFiles _files = new(directory);

    /// <summary>Runs it with the arguments of mongod until it is told to end.</summary>
    /// <returns>Its exit code: 0, or mongod's for a data directory that is not there.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        string Value(string option) => arguments[Array.IndexOf(arguments, option) + 1];
        var directory = Value("--dbpath");
        if (!Directory.Exists(directory))
        {
            await Console.Error.WriteLineAsync($"Data directory {directory} not found.");
            return 100;
        }

        // As mongod does, which others could read the key of.
        var keyFile = Value("--keyFile");
        if (!OperatingSystem.IsWindows()
            && (File.GetUnixFileMode(keyFile) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != UnixFileMode.None)
        {
            await Console.Error.WriteLineAsync($"Permissions on {keyFile} are too open.");
            return 1;
        }

        using var stopping = new CancellationTokenSource();
        using var term = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM,
            signal =>
            {
                signal.Cancel = true;
                stopping.Cancel();
            });
        var member = new ScriptedMongod(
            Value("--replSet"),
            directory,
            int.Parse(Value("--port"), System.Globalization.CultureInfo.InvariantCulture),
            IPAddress.Parse(Value("--bind_ip")),
            arguments.Contains("--tlsMode") && Value("--tlsMode") == "requireTLS" && File.Exists(Value("--tlsCAFile"))
                ? X509Certificate2.CreateFromPemFile(Value("--tlsCertificateKeyFile"))
                : null);
        try
        {
            await member.ServeAsync(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to end.
        }

        return 0;
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(address, port);
        listener.Start();
        _files.Open(port);
        while (true)
        {
            var client = await listener.AcceptTcpClientAsync(cancellationToken);
            _ = ServeAsync(client, cancellationToken);
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken cancellationToken)
    {
        using var _ = client;
        client.NoDelay = true;
        var session = new MongodSession(set, $"localhost:{port}", _files);
        try
        {
            await using var stream = await SecuredAsync(client.GetStream(), cancellationToken);
            using var reader = new MessageReader(PipeReader.Create(stream), TimeProvider.System);
            while (await reader.ReadAsync(WireLimits.MaxMessageLength, cancellationToken))
            {
                var message = Message.Read(reader.Header, reader.Message);
                var reply = session.Answer(message.Body.ToTree()).ToRaw();
                var output = new ArrayBufferWriter<byte>();
                if (reader.Header.OpCode == OpCode.Query)
                {
                    MessageWriter.WriteReply(output, requestId: 1, reader.Header.RequestId, reply.Span);
                }
                else
                {
                    MessageWriter.Write(output, requestId: 1, reader.Header.RequestId, MessageFlags.None, reply.Span);
                }

                if (!message.Flags.HasFlag(MessageFlags.MoreToCome))
                {
                    await stream.WriteAsync(output.WrittenMemory, cancellationToken);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ProtocolException or AuthenticationException)
        {
            // The client left, or this process ends.
        }
    }

    private async Task<Stream> SecuredAsync(Stream stream, CancellationToken cancellationToken)
    {
        if (certificate is null)
        {
            return stream;
        }

        var secured = new SslStream(stream);
        await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken);
        return secured;
    }
}
