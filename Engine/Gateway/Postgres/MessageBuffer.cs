using System.Buffers.Binary;
using System.Text;

namespace Platform.Gateway.Postgres;

/// <summary>Messages to PostgreSQL, written one after the other into a buffer that is used again and again.</summary>
internal sealed class MessageBuffer
{
    private const int LargestKept = 64 * 1024;
    private byte[] _bytes = new byte[4096];
    private int _message;

    /// <summary>How much is written.</summary>
    public int Length { get; private set; }

    /// <summary>What is written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Forgets what is written.</summary>
    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > LargestKept)
        {
            _bytes = new byte[4096];
        }
    }

    /// <summary>Begins a message whose length <see cref="End"/> fills in.</summary>
    public void Begin(byte type)
    {
        Byte(type);
        BeginUntyped();
    }

    /// <summary>Begins a message without a type, as only the first one of a connection is.</summary>
    public void BeginUntyped()
    {
        _message = Length;
        Int32(0);
    }

    /// <summary>Ends the message that was begun; <paramref name="following"/> bytes of it are sent separately.</summary>
    public void End(int following = 0) => BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(_message), Length - _message + following);

    /// <summary>Writes a byte.</summary>
    public void Byte(byte value) => Reserve(1)[0] = value;

    /// <summary>Writes a 16-bit number.</summary>
    public void Int16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);

    /// <summary>Writes a 32-bit number.</summary>
    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    /// <summary>Writes a 64-bit number.</summary>
    public void Int64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);

    /// <summary>Writes bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    /// <summary>Writes text with its length in front.</summary>
    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        Int32(count);
        Encoding.UTF8.GetBytes(value, Reserve(count));
    }

    /// <summary>Writes text with a zero behind it.</summary>
    public void Terminated(string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A name or statement for PostgreSQL contains a zero character.", nameof(value));
        }

        Encoding.UTF8.GetBytes(value, Reserve(Encoding.UTF8.GetByteCount(value)));
        Byte(0);
    }

    private Span<byte> Reserve(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }

        var span = _bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }
}
