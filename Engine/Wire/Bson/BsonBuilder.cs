using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;

namespace Platform.Wire.Bson;

/// <summary>Writes one document into a growing buffer, mostly by copying elements of others.</summary>
public sealed class BsonBuilder
{
    private readonly Stack<int> _open = new();
    private byte[] _buffer;
    private int _length;

    /// <summary>Starts the document; <paramref name="capacity"/> is the expected size in bytes.</summary>
    public BsonBuilder(int capacity = 256)
    {
        _buffer = new byte[Math.Max(capacity, 16)];
        Open();
    }

    /// <summary>How many documents are open; 1 is the outermost alone.</summary>
    public int Depth => _open.Count;

    /// <summary>Copies an element as it is.</summary>
    public BsonBuilder Add(in RawElement element)
    {
        element.Whole.Span.CopyTo(Grow(element.Whole.Length));
        return this;
    }

    /// <summary>Copies any number of whole elements.</summary>
    public BsonBuilder AddElements(ReadOnlySpan<byte> elements)
    {
        elements.CopyTo(Grow(elements.Length));
        return this;
    }

    /// <summary>Copies an element's value under another name.</summary>
    public BsonBuilder Add(ReadOnlySpan<byte> name, in RawElement element) => Add(name, element.Type, element.Value.Span);

    /// <summary>Adds a value whose bytes are already in BSON's layout.</summary>
    public BsonBuilder Add(ReadOnlySpan<byte> name, BsonType type, ReadOnlySpan<byte> value)
    {
        Head(type, name);
        value.CopyTo(Grow(value.Length));
        return this;
    }

    /// <summary>Adds a double.</summary>
    public BsonBuilder Add(ReadOnlySpan<byte> name, double value)
    {
        Head(BsonType.Double, name);
        BinaryPrimitives.WriteDoubleLittleEndian(Grow(8), value);
        return this;
    }

    /// <summary>Adds a 32-bit integer.</summary>
    public BsonBuilder Add(ReadOnlySpan<byte> name, int value)
    {
        Head(BsonType.Int32, name);
        BinaryPrimitives.WriteInt32LittleEndian(Grow(4), value);
        return this;
    }

    /// <summary>Adds a 64-bit integer.</summary>
    public BsonBuilder Add(ReadOnlySpan<byte> name, long value)
    {
        Head(BsonType.Int64, name);
        BinaryPrimitives.WriteInt64LittleEndian(Grow(8), value);
        return this;
    }

    /// <summary>Adds a string.</summary>
    public BsonBuilder Add(ReadOnlySpan<byte> name, string text)
    {
        Head(BsonType.String, name);
        var length = Encoding.UTF8.GetByteCount(text);
        var span = Grow(length + 5);
        BinaryPrimitives.WriteInt32LittleEndian(span, length + 1);
        Encoding.UTF8.GetBytes(text, span[4..]);
        span[^1] = 0;
        return this;
    }

    /// <summary>Adds the documents as an array.</summary>
    public BsonBuilder AddArray(ReadOnlySpan<byte> name, IEnumerable<ReadOnlyMemory<byte>> documents)
    {
        Start(name, BsonType.Array);
        Span<byte> index = stackalloc byte[11];
        var i = 0;
        foreach (var document in documents)
        {
            i.TryFormat(index, out var digits);
            Add(index[..digits], BsonType.Document, document.Span);
            i++;
        }

        return End();
    }

    /// <summary>Opens an embedded document or array.</summary>
    public BsonBuilder Start(ReadOnlySpan<byte> name, BsonType type = BsonType.Document)
    {
        Head(type, name);
        Open();
        return this;
    }

    /// <summary>Closes the innermost open document.</summary>
    public BsonBuilder End()
    {
        Grow(1)[0] = 0;
        var start = _open.Pop();
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(start), _length - start);
        return this;
    }

    /// <summary>Closes the document and returns its bytes.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        while (_open.Count > 0)
        {
            End();
        }

        return _buffer.AsMemory(0, _length);
    }

    /// <summary>A copy of the document without the named elements.</summary>
    public static ReadOnlyMemory<byte> Without(RawDocument document, params ReadOnlySpan<string> names)
    {
        var builder = new BsonBuilder(document.Bytes.Length);
        foreach (var element in document)
        {
            if (!names.Contains(element.NameText))
            {
                builder.Add(element);
            }
        }

        return builder.Finish();
    }

    private void Open()
    {
        _open.Push(_length);
        Grow(4);
    }

    private void Head(BsonType type, ReadOnlySpan<byte> name)
    {
        var span = Grow(name.Length + 2);
        span[0] = (byte)type;
        name.CopyTo(span[1..]);
        span[^1] = 0;
    }

    private Span<byte> Grow(int count)
    {
        if (_length + count > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }

        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
