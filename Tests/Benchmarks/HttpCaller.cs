using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Platform.Benchmarks;

/// <summary>
/// One connection of HTTP/1.1 that sends requests as they are given and reads answers to their end. It blocks, so that what a client costs
/// is little more than the system's own work, and the same for whoever answers.
/// </summary>
internal sealed class HttpCaller : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[64 * 1024];
    private int _filled;

    /// <summary>Connects.</summary>
    /// <param name="address">Where to.</param>
    public HttpCaller(IPEndPoint address)
    {
        _socket.ReceiveTimeout = 60_000;
        _socket.Connect(address);
    }

    /// <summary>The latest answer, its head and body as they came.</summary>
    public string Answer => Encoding.UTF8.GetString(_buffer, 0, _filled);

    /// <summary>Sends a request and returns the status of its answer.</summary>
    /// <param name="request">The whole request.</param>
    public int Send(ReadOnlySpan<byte> request)
    {
        _socket.Send(request);
        _filled = 0;
        var head = 0;
        while ((head = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Receive();
        }

        head += 4;
        if (Header(head, "\r\ncontent-length:"u8) is { IsEmpty: false } length)
        {
            _ = Utf8Parser.TryParse(length, out int bytes, out _);
            ReceiveUntil(head + bytes);
        }
        else
        {
            ReceiveChunks(head);
        }

        // HTTP/1.1 200
        _ = Utf8Parser.TryParse(_buffer.AsSpan(9, 3), out int status, out _);
        return status;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /*  size in hex \r\n bytes \r\n ... 0\r\n\r\n  */
    private void ReceiveChunks(int at)
    {
        while (true)
        {
            int line;
            while ((line = _buffer.AsSpan(at, _filled - at).IndexOf("\r\n"u8)) < 0)
            {
                Receive();
            }

            if (!Utf8Parser.TryParse(_buffer.AsSpan(at, line), out int size, out _, 'x'))
            {
                throw new BenchmarkException($"This is no answer of HTTP/1.1: {Answer}");
            }

            at += line + 2 + size + 2;
            ReceiveUntil(at);
            if (size == 0)
            {
                return;
            }
        }
    }

    private void ReceiveUntil(int end)
    {
        while (_filled < end)
        {
            Receive();
        }
    }

    private void Receive()
    {
        if (_filled == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var received = _socket.Receive(_buffer.AsSpan(_filled));
        _filled += received > 0 ? received : throw new BenchmarkException("The server closed the connection.");
    }

    // Servers write names of headers in cases of their own.
    private ReadOnlySpan<byte> Header(int head, ReadOnlySpan<byte> name)
    {
        var lines = _buffer.AsSpan(0, head);
        for (var at = lines.IndexOf("\r\n"u8); at >= 0 && at + name.Length < head;)
        {
            if (Ascii.EqualsIgnoreCase(lines.Slice(at, name.Length), name))
            {
                return lines[(at + name.Length)..].TrimStart((byte)' ');
            }

            var next = lines[(at + 2)..].IndexOf("\r\n"u8);
            at = next < 0 ? -1 : at + 2 + next;
        }

        return default;
    }
}
