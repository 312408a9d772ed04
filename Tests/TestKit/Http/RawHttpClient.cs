using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Platform.Tests.TestKit.Http;

/// <summary>Sends the bytes that it is given, and reads what a server answers to them; keeps its connection as long as the server does.</summary>
/// <param name="server">Where the server listens.</param>
public sealed class RawHttpClient(IPEndPoint server) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly byte[] _buffer = new byte[16 * 1024];
    private Socket? _socket;
    private int _read;
    private int _filled;
    private long _answered;

    /// <summary>Sends a request, and returns the final answer.</summary>
    /// <param name="request">Its bytes.</param>
    /// <param name="isHead">Whether its method is HEAD, to which nobody answers with a body.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidDataException">What came is no HTTP, or nothing came.</exception>
    public async Task<RawAnswer> SendAsync(ReadOnlyMemory<byte> request, bool isHead, CancellationToken cancellationToken)
    {
        // A server may close a connection after any answer; what is then sent over it is sent again over a new one.
        var mayBeClosed = _socket is not null;
        try
        {
            return await SendOnceAsync(request, isHead, cancellationToken);
        }
        catch (InvalidDataException) when (mayBeClosed && _answered == 0)
        {
            return await SendOnceAsync(request, isHead, cancellationToken);
        }
    }

    private async Task<RawAnswer> SendOnceAsync(ReadOnlyMemory<byte> request, bool isHead, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        _answered = 0;
        try
        {
            if (_socket is null)
            {
                _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await _socket.ConnectAsync(server, patience.Token);
            }

            await SendAsync(_socket, request, patience.Token);
            RawAnswer answer;
            do
            {
                answer = await ReadAsync(isHead, patience.Token);
            }
            while (answer.Status is >= 100 and < 200);

            if (answer.Closes)
            {
                Close();
            }

            return answer;
        }
        catch (Exception exception) when (exception is SocketException || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            Close();
            throw new InvalidDataException($"no answer: {exception.Message}", exception);
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Hangs up, so that the next request has a connection of its own.</summary>
    public void Close()
    {
        _socket?.Dispose();
        _socket = null;
        _read = _filled = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    // A server that refuses a body stops reading it, and closes; what it said before is there to be read.
    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            while (request.Length > 0)
            {
                request = request[await socket.SendAsync(request, cancellationToken)..];
            }
        }
        catch (SocketException refused) when (refused.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
        }
    }

    private async Task<RawAnswer> ReadAsync(bool isHead, CancellationToken cancellationToken)
    {
        var line = await LineAsync(cancellationToken);
        if (!line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
            || line.Length < 12
            || !int.TryParse(line.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            throw new InvalidDataException($"no status line: '{line}'");
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while ((line = await LineAsync(cancellationToken)).Length > 0)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new InvalidDataException($"no header: '{line}'");
            }

            var (name, value) = (line[..colon], line[(colon + 1)..].Trim());
            headers[name] = headers.TryGetValue(name, out var before) ? $"{before}, {value}" : value;
        }

        var answer = new RawAnswer(status, headers, []);
        return isHead || status is < 200 or 204 or 304 ? answer : answer with { Body = await BodyAsync(answer, cancellationToken) };
    }

    private async Task<byte[]> BodyAsync(RawAnswer answer, CancellationToken cancellationToken)
    {
        if (!answer["Transfer-Encoding"].Equals("chunked", StringComparison.OrdinalIgnoreCase))
        {
            return await BytesAsync(int.Parse(answer["Content-Length"], NumberStyles.None, CultureInfo.InvariantCulture), cancellationToken);
        }

        var body = new ArrayBufferWriter<byte>();
        while (int.Parse(await LineAsync(cancellationToken), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is > 0 and var length)
        {
            body.Write(await BytesAsync(length, cancellationToken));
            await LineAsync(cancellationToken);
        }

        await LineAsync(cancellationToken);
        return body.WrittenSpan.ToArray();
    }

    private async Task<string> LineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_read == _filled)
            {
                await FillAsync(cancellationToken);
            }

            var next = (char)_buffer[_read++];
            if (next == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append(next);
        }
    }

    private async Task<byte[]> BytesAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        for (var have = 0; have < count;)
        {
            if (_read == _filled)
            {
                await FillAsync(cancellationToken);
            }

            var part = Math.Min(count - have, _filled - _read);
            _buffer.AsSpan(_read, part).CopyTo(bytes.AsSpan(have));
            (have, _read) = (have + part, _read + part);
        }

        return bytes;
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        _read = 0;
        _filled = await _socket!.ReceiveAsync(_buffer, cancellationToken);
        _answered += _filled;
        if (_filled == 0)
        {
            throw new InvalidDataException("the server hung up instead of answering");
        }
    }
}
