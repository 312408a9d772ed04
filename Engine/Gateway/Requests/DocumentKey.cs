using System.Buffers.Binary;
using System.Security.Cryptography;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Requests;

/// <summary>
/// The value of an <c>_id</c> as a key: numbers of all types that are equal are one key (1, 1.0 and decimal 1; 0.0 and -0.0; all
/// that are not a number), whatever their bytes are.
/// </summary>
internal static class DocumentKey
{
    private const byte Number = 1, Text = 2;

    /// <summary>Adds what makes the key to a hash: equal keys add the same.</summary>
    public static void AppendTo(IncrementalHash hash, in RawElement value)
    {
        switch (value.Type)
        {
            case BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128:
                // Whole numbers beyond 2^53 may share a double: they take turns without need, which does no harm.
                Span<byte> number = stackalloc byte[9];
                number[0] = Number;
                BinaryPrimitives.WriteDoubleLittleEndian(number[1..], ToDouble(value));
                hash.AppendData(number);
                break;
            case BsonType.String or BsonType.Symbol:
                hash.AppendData([Text]);
                hash.AppendData(value.Value.Span);
                break;
            case BsonType.Document or BsonType.Array:
                hash.AppendData([(byte)value.Type]);
                foreach (var field in value.Document)
                {
                    hash.AppendData(field.Name);
                    hash.AppendData([0]);
                    AppendTo(hash, field);
                }

                hash.AppendData([0]);
                break;
            default:
                hash.AppendData([(byte)value.Type]);
                hash.AppendData(value.Value.Span);
                break;
        }
    }

    /// <summary>Whether a filter with this value of <c>_id</c> names one document, and <see cref="Compare"/> can put it in order.</summary>
    public static bool IsOrdered(in RawElement value) => value.Type switch
    {
        BsonType.Int32 or BsonType.Int64 => true,
        // Beyond it several whole numbers are one double, and "equal" would not be the same for everyone.
        BsonType.Double or BsonType.Decimal128 => Math.Abs(ToDouble(value)) < 1L << 53,
        BsonType.String or BsonType.ObjectId or BsonType.Binary or BsonType.DateTime or BsonType.Boolean => true,
        _ => false,
    };

    /// <summary>Compares two keys that are <see cref="IsOrdered"/>, by an order that is the same for everyone.</summary>
    public static int Compare(in RawElement left, in RawElement right)
    {
        var rank = Rank(left.Type);
        if (rank != Rank(right.Type))
        {
            return rank.CompareTo(Rank(right.Type));
        }

        switch (rank)
        {
            case Number:
                var order = ToDouble(left).CompareTo(ToDouble(right));
                return order == 0 && left.Type == BsonType.Int64 && right.Type == BsonType.Int64 ? Int64(left).CompareTo(Int64(right)) : order;
            case (byte)BsonType.DateTime:
                return Int64(left).CompareTo(Int64(right));
            default:
                return left.Value.Span.SequenceCompareTo(right.Value.Span);
        }
    }

    private static byte Rank(BsonType type) => type switch
    {
        BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 => Number,
        _ => (byte)type,
    };

    private static long Int64(in RawElement value) => BinaryPrimitives.ReadInt64LittleEndian(value.Value.Span);

    private static double ToDouble(in RawElement value)
    {
        var bytes = value.Value.Span;
        var number = value.Type switch
        {
            BsonType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            BsonType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            BsonType.Double => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            _ => Decimal128.ToDouble(
                Decimal128.FromIEEEBits(BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes))),
        };
        // There are two zeros, and many values that are not a number.
        return number == 0 ? 0 : double.IsNaN(number) ? double.NaN : number;
    }
}
