using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Serializers;

namespace Platform.Data.Documents;

/// <summary>Stores an enum as its camelCase name.</summary>
internal sealed class EnumNameSerializer<TEnum> : StructSerializerBase<TEnum>
    where TEnum : struct, Enum
{
    public override void Serialize(BsonSerializationContext context, BsonSerializationArgs args, TEnum value) =>
        context.Writer.WriteString(EnumNames<TEnum>.ToStored(value));

    public override TEnum Deserialize(BsonDeserializationContext context, BsonDeserializationArgs args)
    {
        if (context.Reader.GetCurrentBsonType() != BsonType.String)
        {
            throw CreateCannotDeserializeFromBsonTypeException(context.Reader.GetCurrentBsonType());
        }

        var name = context.Reader.ReadString();
        return EnumNames<TEnum>.TryParse(name, out var value)
            ? value
            : throw new FormatException($"'{name}' is not a {typeof(TEnum).Name}.");
    }
}
