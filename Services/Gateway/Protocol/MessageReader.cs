using System.Buffers;
using System.IO.Pipelines;

namespace Platform.Gateway.Protocol;

/// <summary>
/// Cuts a stream of bytes into messages. One message is held at a time, in a pooled buffer that grows only as bytes
/// arrive, so that a client cannot make the gateway reserve memory by claiming a large message.
/// </summary>
internal sealed class MessageReader(PipeReader input) : IDisposable
{
    private const int FirstBuffer = 32 * 1024;
    private byte[] _buffer = [];

    /// <summary>The message read last, header included; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Message { get; private set; }

    /// <summary>The header of the message read last.</summary>
    public MessageHeader Header { get; private set; }

    /// <summary>
    /// Reads the next message. Returns false when the client ended the connection between two messages; throws
    /// <see cref="ProtocolException"/> when the length is out of bounds or the stream ends inside a message.
    /// </summary>
    /// <param name="maxLength">The largest message accepted, in bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<bool> ReadAsync(int maxLength, CancellationToken cancellationToken)
    {
        Release();
        var filled = 0;
        var needed = WireLimits.HeaderLength;
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var available = result.Buffer;
            var consumed = 0L;

            while (filled < needed && consumed < available.Length)
            {
                var take = (int)Math.Min(needed - filled, available.Length - consumed);
                Reserve(filled, take, needed);
                available.Slice(consumed, take).CopyTo(_buffer.AsSpan(filled));
                filled += take;
                consumed += take;
                if (filled == WireLimits.HeaderLength && needed == WireLimits.HeaderLength)
                {
                    Header = MessageHeader.Read(_buffer);
                    if (Header.Length <= WireLimits.HeaderLength || Header.Length > maxLength)
                    {
                        input.AdvanceTo(available.GetPosition(consumed));
                        throw new ProtocolException($"a message claims {Header.Length} bytes; {maxLength} is the limit here");
                    }

                    needed = Header.Length;
                }
            }

            input.AdvanceTo(available.GetPosition(consumed));
            if (filled == needed && needed > WireLimits.HeaderLength)
            {
                Message = _buffer.AsMemory(0, filled);
                return true;
            }

            if (result.IsCompleted || result.IsCanceled)
            {
                return filled == 0 ? false : throw new ProtocolException($"the stream ended after {filled} of {needed} bytes of a message");
            }
        }
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose() => Release();

    private void Release()
    {
        Message = default;
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void Reserve(int filled, int take, int needed)
    {
        if (filled + take <= _buffer.Length)
        {
            return;
        }

        // Doubling what has arrived, never more than the message needs.
        var size = Math.Max(filled + take, Math.Min(needed, Math.Max(FirstBuffer, filled * 2)));
        var larger = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, filled).CopyTo(larger);
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }
}
