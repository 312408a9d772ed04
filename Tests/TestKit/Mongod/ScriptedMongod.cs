using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Tests.TestKit.Mongod;

/// <summary>
/// A member of a replica set that holds no data: it takes mongod's arguments, is initiated and configured, has users, elects the first member
/// that runs, and answers what drivers, mongosh and the AppHost ask on the way to a healthy set. Everything else is a command that it
/// does not know. With it the start of a set is tried where there is no mongod.
/// </summary>
internal sealed class ScriptedMongod(string set, string directory, int port, IPAddress address)
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
            IPAddress.Parse(Value("--bind_ip")));
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
            var stream = client.GetStream();
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
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ProtocolException)
        {
            // The client left, or this process ends.
        }
    }
}
