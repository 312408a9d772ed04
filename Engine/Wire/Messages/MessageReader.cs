using System.Buffers;
using System.IO.Pipelines;

namespace Platform.Wire.Messages;

/// <summary>
/// Cuts a stream of bytes into messages. One message is held at a time, in a pooled buffer that grows only as bytes
/// arrive, so that nobody reserves memory because the other side claims a large message.
/// </summary>
public sealed class MessageReader(PipeReader input, TimeProvider time) : IDisposable
{
    private const int FirstBuffer = 32 * 1024;

    // A message may take longer than its limit by a second for each of these that arrived.
    private const int BytesPerSecond = 16 * 1024;

    private byte[] _buffer = [];
    private long _since = time.GetTimestamp();
    private int _arrived;
    private volatile bool _stalled;

    /// <summary>The message read last, header included; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Message { get; private set; }

    /// <summary>The header of the message read last.</summary>
    public MessageHeader Header { get; private set; }

    /// <summary>
    /// Ends a read whose message does not arrive within <paramref name="limit"/> after its first byte, or that is the first one of the
    /// connection and does not come at all: it throws <see cref="ProtocolException"/>. May be called while it reads. Between two
    /// messages a client may be silent for as long as it likes.
    /// </summary>
    public void EndIfStalled(TimeSpan limit)
    {
        var since = Volatile.Read(ref _since);
        if (since != 0 && !_stalled && time.GetElapsedTime(since) > limit + TimeSpan.FromSeconds(Volatile.Read(ref _arrived) / BytesPerSecond))
        {
            _stalled = true;
            input.CancelPendingRead();
        }
    }

    /// <summary>
    /// Reads the next message. Returns false when the client ended the connection between two messages; throws
    /// <see cref="ProtocolException"/> when the length is out of bounds or the stream ends inside a message.
    /// </summary>
    /// <param name="maxLength">The largest message accepted, in bytes.</param>
    /// <param name="cancellationToken">Ends the wait; a message that has arrived whole is returned all the same.</param>
    public async ValueTask<bool> ReadAsync(int maxLength, CancellationToken cancellationToken)
    {
        Release();
        var filled = 0;
        var needed = WireLimits.HeaderLength;
        while (true)
        {
            // What is here already is read even when nothing more is to be waited for.
            if (!input.TryRead(out var result))
            {
                result = await input.ReadAsync(cancellationToken);
            }

            if (_stalled)
            {
                input.AdvanceTo(result.Buffer.Start);
                throw new ProtocolException($"a message did not arrive in time ({filled} bytes did)");
            }

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
            Volatile.Write(ref _arrived, filled);
            if (filled == needed && needed > WireLimits.HeaderLength)
            {
                Message = _buffer.AsMemory(0, filled);
                Volatile.Write(ref _since, 0);
                return true;
            }

            if (filled > 0 && _since == 0)
            {
                Volatile.Write(ref _since, time.GetTimestamp());
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
