using System.Text;

namespace Platform.Tests.Server.Connections;

/// <summary>
/// Reads the fields of one message in the wire format of Protocol Buffers: https://protobuf.dev/programming-guides/encoding/
/// </summary>
internal ref struct ProtobufFields(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The number of the field.</summary>
    public int Number { get; private set; }

    /// <summary>Its value when it is a number of variable length.</summary>
    public ulong Value { get; private set; }

    /// <summary>Its value when it is a message, a text, bytes, or a number of fixed length.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Its value as a text.</summary>
    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Goes on to the next field.</summary>
    /// <returns>False at the end of the message.</returns>
    /// <exception cref="FormatException">It is no such message.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var key = Varint();
        Number = (int)(key >> 3);
        Value = 0;
        Bytes = default;
        switch (key & 7)
        {
            case 0:
                Value = Varint();
                break;
            case 1:
                Bytes = Take(8);
                break;
            case 2:
                Bytes = Take((int)Varint());
                break;
            case 5:
                Bytes = Take(4);
                break;
            default:
                throw new FormatException($"Field {Number} has the unknown wire type {key & 7}.");
        }

        return true;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new FormatException("A number is too long.");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length)
        {
            throw new FormatException("The message ends in the middle of a field.");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
