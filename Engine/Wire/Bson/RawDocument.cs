using System.Buffers.Binary;
using MongoDB.Bson;

namespace Platform.Wire.Bson;

/// <summary>A BSON document as bytes. Reading it walks the bytes and allocates nothing.</summary>
public readonly struct RawDocument(ReadOnlyMemory<byte> bytes)
{
    /// <summary>How deep documents may nest: a little above what the server's own limit of 100 user levels needs.</summary>
    public const int MaxDepth = 200;

    /// <summary>The document's bytes, from its length to its terminator.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>True when there is no document at all (not even an empty one).</summary>
    public bool IsMissing => bytes.IsEmpty;

    /// <summary>Walks the elements in order.</summary>
    public Enumerator GetEnumerator() => new(bytes);

    /// <summary>Finds the first element with this name.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out RawElement element)
    {
        foreach (var candidate in this)
        {
            if (candidate.Is(name))
            {
                element = candidate;
                return true;
            }
        }

        element = default;
        return false;
    }

    /// <summary>The first element; a document must have one.</summary>
    public RawElement First
    {
        get
        {
            foreach (var element in this)
            {
                return element;
            }

            throw new BsonFormatException("A document is empty that must have a field.");
        }
    }

    /// <summary>The number of elements.</summary>
    public int Count()
    {
        var count = 0;
        foreach (var _ in this)
        {
            count++;
        }

        return count;
    }

    /// <summary>
    /// The document as an object tree, for commands where speed does not count. Written again with <see cref="BsonTree.ToRaw"/> it has the same
    /// bytes. Throws <see cref="BsonFormatException"/> when it has names or text that are not UTF-8, or values that no tree can hold.
    /// </summary>
    public BsonDocument ToTree() => BsonTree.Read(this);

    /// <summary>
    /// The document with some of its values replaced by other documents or arrays; all other bytes are copied as they are. The same document
    /// when none is replaced.
    /// </summary>
    /// <param name="replacement">The new value of an element, null to keep it, or a missing document to leave the element out.</param>
    public RawDocument Replace(Func<RawElement, RawDocument?> replacement)
    {
        BsonBuilder? builder = null;
        int copied = 4, position = 4;
        foreach (var element in this)
        {
            var start = position;
            position += element.Whole.Length;
            if (replacement(element) is not { } value)
            {
                continue;
            }

            builder ??= new BsonBuilder(bytes.Length + 64);
            builder.AddElements(bytes.Span[copied..start]);
            copied = position;
            if (!value.IsMissing)
            {
                builder.Add(element.Name, element.Type, value.Bytes.Span);
            }
        }

        return builder is null ? this : new RawDocument(builder.AddElements(bytes.Span[copied..^1]).Finish());
    }

    /// <summary>
    /// Takes the document at the start of <paramref name="bytes"/> after checking the whole of it; throws
    /// <see cref="BsonFormatException"/> when it is malformed, truncated or nested too deep.
    /// </summary>
    public static RawDocument Take(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 5)
        {
            throw new BsonFormatException("A document needs at least 5 bytes.");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
        if (length < 5 || length > bytes.Length)
        {
            throw new BsonFormatException($"A document claims {length} bytes where {bytes.Length} are left.");
        }

        Check(bytes.Span[..length], 1);
        return new RawDocument(bytes[..length]);
    }

    private static void Check(ReadOnlySpan<byte> document, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new BsonFormatException($"Documents nest deeper than {MaxDepth} levels.");
        }

        if (document[^1] != 0)
        {
            throw new BsonFormatException("A document does not end with a zero byte.");
        }

        var rest = document[4..^1];
        while (!rest.IsEmpty)
        {
            var type = (BsonType)rest[0];
            var nameLength = rest[1..].IndexOf((byte)0);
            if (nameLength < 0)
            {
                throw new BsonFormatException("An element's name does not end.");
            }

            rest = rest[(nameLength + 2)..];
            var length = ValueLength(type, rest);
            switch (type)
            {
                case BsonType.Document or BsonType.Array:
                    Check(rest[..length], depth + 1);
                    break;
                case BsonType.JavaScriptWithScope:
                    var code = 4 + Prefixed(rest[4..], 1);
                    if (code + 4 + 5 > length || BinaryPrimitives.ReadInt32LittleEndian(rest[(4 + code)..]) != length - 4 - code)
                    {
                        throw new BsonFormatException("A JavaScript value with scope has the wrong size.");
                    }

                    Check(rest[(4 + code)..length], depth + 1);
                    break;
            }

            rest = rest[length..];
        }
    }

    /// <summary>How many bytes the value of this type takes at the start of <paramref name="rest"/>.</summary>
    internal static int ValueLength(BsonType type, ReadOnlySpan<byte> rest)
    {
        var length = type switch
        {
            BsonType.Double or BsonType.DateTime or BsonType.Timestamp or BsonType.Int64 => 8,
            BsonType.Int32 => 4,
            BsonType.ObjectId => 12,
            BsonType.Boolean => 1,
            BsonType.Decimal128 => 16,
            BsonType.Null or BsonType.Undefined or BsonType.MinKey or BsonType.MaxKey => 0,
            BsonType.String or BsonType.JavaScript or BsonType.Symbol => 4 + Terminated(rest),
            BsonType.Binary => 5 + Prefixed(rest, 0),
            BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope => Prefixed(rest, 5),
            BsonType.RegularExpression => TwoNames(rest),
            (BsonType)0x0C => 4 + Terminated(rest) + 12, // DBPointer, deprecated but still legal
            _ => throw new BsonFormatException($"There is no element type 0x{(byte)type:X2}."),
        };
        return (uint)length <= (uint)rest.Length ? length : throw new BsonFormatException("A value is cut short.");
    }

    private static int Prefixed(ReadOnlySpan<byte> rest, int minimum)
    {
        if (rest.Length < 4)
        {
            throw new BsonFormatException("A length is cut short.");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        return length >= minimum && length <= rest.Length ? length : throw new BsonFormatException($"A value claims {length} bytes.");
    }

    private static int Terminated(ReadOnlySpan<byte> rest)
    {
        var length = Prefixed(rest, 1);
        return 4 + length <= rest.Length && rest[3 + length] == 0 ? length : throw new BsonFormatException("A string does not end with a zero byte.");
    }

    private static int TwoNames(ReadOnlySpan<byte> rest)
    {
        var first = rest.IndexOf((byte)0);
        var second = first < 0 ? -1 : rest[(first + 1)..].IndexOf((byte)0);
        return second < 0 ? throw new BsonFormatException("A regular expression does not end.") : first + second + 2;
    }

    /// <summary>Walks the elements of a document.</summary>
    public struct Enumerator(ReadOnlyMemory<byte> document)
    {
        private int _position = 4;

        /// <summary>The element the walk stands on.</summary>
        public RawElement Current { get; private set; }

        /// <summary>Moves to the next element.</summary>
        public bool MoveNext()
        {
            var span = document.Span;
            if (_position >= span.Length - 1)
            {
                return false;
            }

            var type = (BsonType)span[_position];
            var nameLength = span[(_position + 1)..].IndexOf((byte)0);
            if (nameLength < 0)
            {
                throw new BsonFormatException("An element's name does not end.");
            }

            var valueStart = _position + nameLength + 2;
            var length = ValueLength(type, span[valueStart..^1]);
            Current = new RawElement(
                type,
                document.Slice(_position + 1, nameLength),
                document.Slice(valueStart, length),
                document[_position..(valueStart + length)]);
            _position = valueStart + length;
            return true;
        }
    }
}
