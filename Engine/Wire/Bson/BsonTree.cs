using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Serializers;

namespace Platform.Wire.Bson;

/// <summary>
/// Object trees of documents that clients sent. The driver's own reader and writer are made for applications and mend what they meet: the old
/// binary subtype, dates at the end of time, negative zeros. What comes from a client must be passed on as it was.
/// </summary>
public static class BsonTree
{
    // The driver marks its own name of it as obsolete.
    private const BsonBinarySubType OldBinary = (BsonBinarySubType)2;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly BsonBinaryWriterSettings s_exact =
        new() { FixOldBinarySubTypeOnOutput = false, MaxDocumentSize = int.MaxValue, MaxSerializationDepth = RawDocument.MaxDepth + 50 };

    /// <summary>Reads a document, whose bytes have been checked, value for value.</summary>
    public static BsonDocument Read(RawDocument document)
    {
        try
        {
            var tree = new BsonDocument { AllowDuplicateNames = true };
            foreach (var element in document)
            {
                tree.Add(Text(element.Name), Value(element.Type, element.Value));
            }

            return tree;
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new BsonFormatException($"The document cannot be read: {e.Message}");
        }
    }

    /// <summary>Writes a tree value for value.</summary>
    public static ReadOnlyMemory<byte> ToRaw(this BsonDocument tree)
    {
        using var stream = new MemoryStream();
        using (var writer = new BsonBinaryWriter(stream, s_exact))
        {
            BsonDocumentSerializer.Instance.Serialize(BsonSerializationContext.CreateRoot(writer), tree);
        }

        return stream.GetBuffer().AsMemory(0, (int)stream.Length);
    }

    private static BsonValue Value(BsonType type, ReadOnlyMemory<byte> value)
    {
        var bytes = value.Span;
        switch (type)
        {
            case BsonType.Double:
                // Not by the implicit conversion, which has one object for both zeros.
                return new BsonDouble(BinaryPrimitives.ReadDoubleLittleEndian(bytes));
            case BsonType.String:
                return new BsonString(Text(bytes[4..^1]));
            case BsonType.Document:
                return Read(new RawDocument(value));
            case BsonType.Array:
                var array = new BsonArray();
                foreach (var element in new RawDocument(value))
                {
                    array.Add(Value(element.Type, element.Value));
                }

                return array;
            case BsonType.Binary:
                return Binary(bytes);
            case BsonType.Undefined:
                return BsonUndefined.Value;
            case BsonType.ObjectId:
                return new BsonObjectId(new ObjectId(bytes.ToArray()));
            case BsonType.Boolean:
                return bytes[0] != 0 ? BsonBoolean.True : BsonBoolean.False;
            case BsonType.DateTime:
                return new BsonDateTime(BinaryPrimitives.ReadInt64LittleEndian(bytes));
            case BsonType.Null:
                return BsonNull.Value;
            case BsonType.RegularExpression:
                var end = bytes.IndexOf((byte)0);
                return new BsonRegularExpression(Text(bytes[..end]), Text(bytes[(end + 1)..^1]));
            case BsonType.JavaScript:
                return new BsonJavaScript(Text(bytes[4..^1]));
            case BsonType.Symbol:
                return BsonSymbol.Create(Text(bytes[4..^1]));
            case BsonType.JavaScriptWithScope:
                var code = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
                return new BsonJavaScriptWithScope(Text(bytes.Slice(8, code - 1)), Read(new RawDocument(value[(8 + code)..])));
            case BsonType.Int32:
                return new BsonInt32(BinaryPrimitives.ReadInt32LittleEndian(bytes));
            case BsonType.Timestamp:
                return new BsonTimestamp(BinaryPrimitives.ReadInt64LittleEndian(bytes));
            case BsonType.Int64:
                return new BsonInt64(BinaryPrimitives.ReadInt64LittleEndian(bytes));
            case BsonType.Decimal128:
                return new BsonDecimal128(Decimal128.FromIEEEBits(
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes)));
            case BsonType.MinKey:
                return BsonMinKey.Value;
            case BsonType.MaxKey:
                return BsonMaxKey.Value;
            default:
                throw new BsonFormatException("A DBPointer, which has been deprecated for long, cannot be part of this command.");
        }
    }

    private static BsonBinaryData Binary(ReadOnlySpan<byte> value)
    {
        var subtype = (BsonBinarySubType)value[4];
        var content = value[5..];
        if (subtype == OldBinary)
        {
            // The subtype has a length of its own inside.
            return content.Length >= 4 && BinaryPrimitives.ReadInt32LittleEndian(content) == content.Length - 4
                ? new BsonBinaryData(content[4..].ToArray(), subtype)
                : throw new BsonFormatException("A binary value of subtype 2 has a wrong length inside.");
        }

        return new BsonBinaryData(content.ToArray(), subtype);
    }

    private static string Text(ReadOnlySpan<byte> utf8) => s_utf8.GetString(utf8);
}
