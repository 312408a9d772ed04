using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;
using Platform.Wire.Messages;

namespace Platform.Tests.TestKit.Mongod;

/// <summary>A MongoDB server on a free port of the loopback address that asks nobody for a login, and says yes to every command.</summary>
internal sealed class OpenMongod : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _serving;
    private readonly BsonDocument _more;

    /// <summary>Starts it.</summary>
    /// <param name="more">What each of its answers has besides.</param>
    public OpenMongod(BsonDocument? more = null)
    {
        _more = more ?? [];
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Its port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _serving;
        _stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
            {
                clients.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        var answer = new BsonDocument
        {
            { "isWritablePrimary", true }, { "minWireVersion", 0 }, { "maxWireVersion", 21 }, { "maxBsonObjectSize", 16_777_216 },
            { "maxMessageSizeBytes", 48_000_000 }, { "maxWriteBatchSize", 100_000 }, { "logicalSessionTimeoutMinutes", 30 }, { "ok", 1.0 },
        }.AddRange(_more).ToBson();
        try
        {
            using var reader = new MessageReader(PipeReader.Create(client.GetStream()), TimeProvider.System);
            while (await reader.ReadAsync(WireLimits.MaxMessageLength, _stopping.Token))
            {
                var output = new ArrayBufferWriter<byte>();
                if (reader.Header.OpCode == OpCode.Query)
                {
                    MessageWriter.WriteReply(output, requestId: 1, reader.Header.RequestId, answer);
                }
                else
                {
                    MessageWriter.Write(output, requestId: 1, reader.Header.RequestId, MessageFlags.None, answer);
                }

                await client.GetStream().WriteAsync(output.WrittenMemory, _stopping.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The client left, or the test ends.
        }
    }
}
