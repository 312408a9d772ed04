using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;

namespace Platform.Wire.Bson;

/// <summary>One element of a document: its type, name and value as slices of the document's bytes; nothing is copied.</summary>
public readonly struct RawElement(BsonType type, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> whole)
{
    /// <summary>The type byte.</summary>
    public BsonType Type => type;

    /// <summary>The name without its terminating zero.</summary>
    public ReadOnlySpan<byte> Name => name.Span;

    /// <summary>The value's bytes, in the layout of its type.</summary>
    public ReadOnlyMemory<byte> Value => value;

    /// <summary>Type, name and value as they stand in the document.</summary>
    public ReadOnlyMemory<byte> Whole => whole;

    /// <summary>The name as text.</summary>
    public string NameText => Encoding.UTF8.GetString(name.Span);

    /// <summary>The value as an embedded document or array; throws <see cref="BsonFormatException"/> for other types.</summary>
    public RawDocument Document => type is BsonType.Document or BsonType.Array
        ? new RawDocument(value)
        : throw new BsonFormatException($"Field '{NameText}' is a {type}, not a document.");

    /// <summary>The bytes of a string value without length and terminator; empty for other types.</summary>
    public ReadOnlySpan<byte> StringBytes => type == BsonType.String ? value.Span[4..^1] : default;

    /// <summary>The text of a string value; null for other types.</summary>
    public string? Text => type == BsonType.String ? Encoding.UTF8.GetString(value.Span[4..^1]) : null;

    /// <summary>A whole number of any numeric type; null for other types and for fractions.</summary>
    public long? Integer => type switch
    {
        BsonType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(value.Span),
        BsonType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(value.Span),
        BsonType.Double when BinaryPrimitives.ReadDoubleLittleEndian(value.Span) is var number
            && Math.Abs(number) < 9e15 && Math.Floor(number) == number => (long)number,
        _ => null,
    };

    /// <summary>Whether the value counts as true: a true boolean or a number other than zero.</summary>
    public bool Truthy => type switch
    {
        BsonType.Boolean => value.Span[0] != 0,
        BsonType.Int32 or BsonType.Int64 => value.Span.ContainsAnyExcept((byte)0),
        BsonType.Double => BinaryPrimitives.ReadDoubleLittleEndian(value.Span) != 0,
        _ => false,
    };

    /// <summary>Whether the value is false or zero, as a client writes <c>autocommit: false</c>.</summary>
    public bool IsFalse => type == BsonType.Boolean && value.Span[0] == 0;

    /// <summary>Compares the name with UTF-8 text.</summary>
    public bool Is(ReadOnlySpan<byte> text) => name.Span.SequenceEqual(text);
}
