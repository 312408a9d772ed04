using System.Globalization;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace Platform.Data.Catalogue;

/// <summary>
/// Extended JSON that people compare line by line: what fits on a line stands on one, and of numbers only those say their type that are read as another
/// without it.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/"/></remarks>
public static class ReadableJson
{
    private const int LineLength = 150;

    private static readonly JsonWriterSettings s_relaxed = new() { OutputMode = JsonOutputMode.RelaxedExtendedJson };

    /// <summary>Writes a value, with a line end after it.</summary>
    /// <param name="value">The value.</param>
    public static string Write(BsonValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var text = new StringBuilder();
        Append(text, Typed(value), indent: 0, room: LineLength);
        return text.Append('\n').ToString();
    }

    private static void Append(StringBuilder text, BsonValue value, int indent, int room)
    {
        var line = value.ToJson(s_relaxed);
        if (line.Length <= room || !MayBreak(value))
        {
            text.Append(line);
            return;
        }

        var (open, close) = value.IsBsonArray ? ('[', ']') : ('{', '}');
        text.Append(open);
        var separator = "\n";
        var parts = value is BsonDocument document
            ? document.Select(element => (Name: $"{new BsonString(element.Name).ToJson()} : ", element.Value))
            : value.AsBsonArray.Select(element => (Name: "", Value: element));
        foreach (var (name, part) in parts)
        {
            text.Append(separator).Append(' ', indent + 2).Append(name);
            Append(text, part, indent + 2, LineLength - indent - 2 - name.Length);
            separator = ",\n";
        }

        text.Append('\n').Append(' ', indent).Append(close);
    }

    // Words and numbers of a list stay together, however many.
    private static bool MayBreak(BsonValue value) => value switch
    {
        BsonDocument document => document.ElementCount > 0,
        BsonArray array => array.Any(element => element.IsBsonDocument || element.IsBsonArray),
        _ => false,
    };

    // Relaxed JSON has no long numbers.
    private static BsonValue Typed(BsonValue value) => value switch
    {
        BsonInt64 number => new BsonDocument("$numberLong", number.Value.ToString(CultureInfo.InvariantCulture)),
        BsonDocument document => new BsonDocument(document.Select(element => new BsonElement(element.Name, Typed(element.Value)))),
        BsonArray array => new BsonArray(array.Select(Typed)),
        _ => value,
    };
}
