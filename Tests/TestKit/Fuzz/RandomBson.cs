using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;

namespace Platform.Tests.TestKit.Fuzz;

/// <summary>
/// Documents of every BSON type and at the ends of each, written as bytes, since no library writes some of them: all binary subtypes, payloads of
/// NaN, negative zero, any 128 bits as a decimal, deprecated types, names that are empty, doubled or begin with a dollar, and text that is not UTF-8.
/// </summary>
internal sealed class RandomBson(int seed)
{
    /// <summary>Words that mean something to the gateway where a stage or an option stands, and nothing in data.</summary>
    public static readonly string[] Words =
        [
            "$count", "$sample", "$replaceWith", "$replaceRoot", "$jsonSchema", "$meta", "collation", "pipeline", "filter", "query",
            "$facet", "$match", "u", "q", "$and", "simple", "locale",
        ];

    private static readonly BsonType[] s_types =
    [
        BsonType.Double, BsonType.String, BsonType.Document, BsonType.Array, BsonType.Binary, BsonType.Undefined, BsonType.ObjectId, BsonType.Boolean,
        BsonType.DateTime,
        BsonType.Null, BsonType.RegularExpression, DbPointer, BsonType.JavaScript, BsonType.Symbol, BsonType.JavaScriptWithScope, BsonType.Int32,
        BsonType.Timestamp,
        BsonType.Int64, BsonType.Decimal128, BsonType.MinKey, BsonType.MaxKey,
    ];

    private const BsonType DbPointer = (BsonType)0x0C;
    private readonly Random _random = new(seed);

    /// <summary>Whether there may be values that no object tree can hold: DBPointers and text that is not UTF-8.</summary>
    public bool BeyondTrees { get; init; } = true;

    /// <summary>
    /// Whether there may be what expressions of the engine do not keep: a name twice in a document, and a zero in code or text.
    /// </summary>
    public bool BeyondExpressions { get; init; } = true;

    /// <summary>A document.</summary>
    public byte[] Document(int depth = 0)
    {
        using var body = new MemoryStream();
        body.Write(new byte[4]);
        for (var fields = _random.Next(depth == 0 ? 3 : 0, 6); fields > 0; fields--)
        {
            var name = Name();
            Element(body, BeyondExpressions ? name : $"{name}{fields}", depth);
        }

        return Finish(body);
    }

    private byte[] Array(int depth)
    {
        using var body = new MemoryStream();
        body.Write(new byte[4]);
        for (int i = 0, count = _random.Next(4); i < count; i++)
        {
            Element(body, i.ToString(System.Globalization.CultureInfo.InvariantCulture), depth);
        }

        return Finish(body);
    }

    private static byte[] Finish(MemoryStream body)
    {
        body.WriteByte(0);
        var bytes = body.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        return bytes;
    }

    private void Element(MemoryStream into, string name, int depth)
    {
        var type = s_types[_random.Next(s_types.Length)];
        if ((depth > 4 && type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope) || (!BeyondTrees && type == DbPointer))
        {
            type = BsonType.Int32;
        }

        into.WriteByte((byte)type);
        into.Write(Encoding.UTF8.GetBytes(name));
        into.WriteByte(0);
        into.Write(Value(type, depth));
    }

    private byte[] Value(BsonType type, int depth) => type switch
    {
        BsonType.Double => Bytes8(_random.Next(4) switch
        {
            0 => BitConverter.DoubleToInt64Bits(-0.0),
            1 => 0x7FF8_0000_0000_0000 | _random.NextInt64(1L << 40),
            2 => unchecked((long)0xFFF0_0000_0000_0001),
            _ => _random.NextInt64(long.MinValue, long.MaxValue),
        }),
        BsonType.String or BsonType.JavaScript or BsonType.Symbol => Text(),
        BsonType.Document => Document(depth + 1),
        BsonType.Array => Array(depth + 1),
        BsonType.Binary => Binary(),
        BsonType.ObjectId => Random(12),
        BsonType.Boolean => [(byte)_random.Next(2)],
        BsonType.DateTime => Bytes8(Pick(long.MinValue, long.MaxValue, 253_402_300_799_999, -62_135_596_800_000, 0, -1)),
        BsonType.RegularExpression => [.. Encoding.UTF8.GetBytes(Pick("a(", "$count", "")), 0, .. Encoding.UTF8.GetBytes(Pick("i", "imsx", "")), 0],
        DbPointer => [.. Text(), .. Random(12)],
        BsonType.JavaScriptWithScope => WithScope(depth),
        BsonType.Int32 => BitConverter.GetBytes(_random.Next(int.MinValue, int.MaxValue)),
        BsonType.Timestamp or BsonType.Int64 => Bytes8(Pick(long.MinValue, long.MaxValue, -1, _random.NextInt64())),
        BsonType.Decimal128 => Random(16),
        _ => [],
    };

    private byte[] WithScope(int depth)
    {
        byte[] content = [.. Text(), .. Document(depth + 1)];
        return [.. BitConverter.GetBytes(content.Length + 4), .. content];
    }

    private byte[] Binary()
    {
        var subtype = (byte)Pick(0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 0x80, 0xFF);
        var content = Random(subtype is 3 or 4 ? 16 : _random.Next(20));
        byte[] inner = subtype == 2 ? [.. BitConverter.GetBytes(content.Length), .. content] : content;
        return [.. BitConverter.GetBytes(inner.Length), subtype, .. inner];
    }

    private byte[] Text()
    {
        byte[] text = _random.Next(6) switch
        {
            0 when BeyondTrees => [0xC3, 0x28, 0xFF],
            1 when BeyondExpressions => [(byte)'a', 0, (byte)'b'],
            2 => Encoding.UTF8.GetBytes("ä€😀"),
            _ => Encoding.UTF8.GetBytes(Pick(Words)),
        };
        return [.. BitConverter.GetBytes(text.Length + 1), .. text, 0];
    }

    private string Name() => _random.Next(5) switch { 0 => "", 1 => "same", 2 => "a.b", 3 => "$x" + _random.Next(9), _ => Pick(Words) };

    private byte[] Random(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Bytes8(long value) => BitConverter.GetBytes(value);

    private T Pick<T>(params ReadOnlySpan<T> from) => from[_random.Next(from.Length)];
}
