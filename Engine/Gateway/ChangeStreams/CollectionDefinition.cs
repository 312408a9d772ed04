using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>Reads definitions of collections and indexes from rows of the backend's catalogue, for <c>operationDescription</c>.</summary>
internal static class CollectionDefinition
{
    private static readonly (string Column, string Name)[] s_options =
        [("validator", "validator"), ("validation_level", "validationLevel"), ("validation_action", "validationAction")];

    /// <summary>What an update of a collection's row changed; empty when nothing that clients know of.</summary>
    public static ReadOnlyMemory<byte> Changes(PgOutput output, ReadOnlySpan<byte> message)
    {
        BsonBuilder? changed = null;
        foreach (var (column, name) in s_options)
        {
            var place = output.Relation.Column(column);
            var value = output.New.Value(message, place);
            if (!value.IsEmpty && !value.SequenceEqual(output.Old.Value(message, place)))
            {
                changed ??= new BsonBuilder();
                var field = System.Text.Encoding.UTF8.GetBytes(name);
                _ = column == "validator"
                    ? changed.Add(field, BsonType.Document, value)
                    : changed.Add(field, System.Text.Encoding.UTF8.GetString(value));
            }
        }

        return changed?.Finish() ?? default;
    }

    /*  fields i32 | (type i32, length i32 or -1, value) ...: name, key, partial filter, wildcard projection, sparse, unique, version, expiry  */
    /// <summary><c>{indexes: [...]}</c> of one index, from the value of its specification; empty for the index of <c>_id</c>.</summary>
    public static ReadOnlyMemory<byte> Index(ReadOnlySpan<byte> specification)
    {
        if (specification.Length < sizeof(int))
        {
            return default;
        }

        var fields = new (int Offset, int Length)[BinaryPrimitives.ReadInt32BigEndian(specification)];
        var position = sizeof(int);
        for (var i = 0; i < fields.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(specification[(position + 4)..]);
            fields[i] = (position + 8, length);
            position += 8 + Math.Max(length, 0);
        }

        var name = System.Text.Encoding.UTF8.GetString(Field(specification, fields, 0));
        if (name == "_id_")
        {
            return default;
        }

        var index = new BsonBuilder().Start("indexes"u8, BsonType.Array).Start("0"u8)
            .Add("v"u8, 2).Add("key"u8, BsonType.Document, Field(specification, fields, 1)).Add("name"u8, name);
        if (fields[2].Length > 0)
        {
            index.Add("partialFilterExpression"u8, BsonType.Document, Field(specification, fields, 2));
        }

        if (fields[3].Length > 0)
        {
            index.Add("wildcardProjection"u8, BsonType.Document, Field(specification, fields, 3));
        }

        if (Field(specification, fields, 4) is [1])
        {
            index.Add("sparse"u8, BsonType.Boolean, [1]);
        }

        if (Field(specification, fields, 5) is [1])
        {
            index.Add("unique"u8, BsonType.Boolean, [1]);
        }

        if (fields.Length > 7 && fields[7].Length == sizeof(int))
        {
            index.Add("expireAfterSeconds"u8, BinaryPrimitives.ReadInt32BigEndian(Field(specification, fields, 7)));
        }

        return index.Finish();
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> specification, (int Offset, int Length)[] fields, int index) =>
        fields[index].Length > 0 ? specification.Slice(fields[index].Offset, fields[index].Length) : default;
}
