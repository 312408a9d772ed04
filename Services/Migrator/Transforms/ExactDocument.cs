using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Serializers;

namespace Platform.Migrator.Transforms;

/// <summary>
/// Reads documents such that they are written again to the byte. The driver's own way of reading keeps one instance of each small
/// whole number, and so takes the sign off a zero.
/// </summary>
internal static class ExactDocument
{
    /// <summary>Reads a document.</summary>
    /// <param name="raw">The document as bytes.</param>
    /// <returns>
    /// The document; null for one that cannot be read and written again to the byte, such as one with two fields of one name, or with text
    /// that is not UTF-8.
    /// </returns>
    public static BsonDocument? Read(RawBsonDocument raw)
    {
        ArgumentNullException.ThrowIfNull(raw);
        try
        {
            using var stream = new ByteBufferStream(raw.Slice);
            using var reader = new BsonBinaryReader(stream);
            var document = ReadDocument(reader, BsonDeserializationContext.CreateRoot(reader));
            return document.ToBson().AsSpan().SequenceEqual(raw.ToBson()) ? document : null;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static BsonDocument ReadDocument(BsonBinaryReader reader, BsonDeserializationContext context)
    {
        var document = new BsonDocument();
        reader.ReadStartDocument();
        while (reader.ReadBsonType() != BsonType.EndOfDocument)
        {
            document.Add(reader.ReadName(), ReadValue(reader, context));
        }

        reader.ReadEndDocument();
        return document;
    }

    private static BsonValue ReadValue(BsonBinaryReader reader, BsonDeserializationContext context)
    {
        switch (reader.CurrentBsonType)
        {
            case BsonType.Double:
                return new BsonDouble(reader.ReadDouble());
            case BsonType.Document:
                return ReadDocument(reader, context);
            case BsonType.Array:
                var array = new BsonArray();
                reader.ReadStartArray();
                while (reader.ReadBsonType() != BsonType.EndOfDocument)
                {
                    array.Add(ReadValue(reader, context));
                }

                reader.ReadEndArray();
                return array;
            default:
                return BsonValueSerializer.Instance.Deserialize(context);
        }
    }
}
