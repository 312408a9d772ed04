using System.Text;
using MongoDB.Bson;

namespace Platform.Mongo.Connections;

/// <summary>Statements as they may be logged: the names of fields and operators stay, every value becomes a question mark.</summary>
public static class CommandShape
{
    /// <summary>What stands for a statement that was not kept.</summary>
    public const string Unknown = "{ … }";

    private const int Longest = 1000;
    private const int Deepest = 12;

    /// <summary>The shape of a command, at most about a thousand characters.</summary>
    /// <param name="command">The command's name; its collection is named, as it is no value.</param>
    /// <param name="document">The command.</param>
    public static string Of(string command, BsonDocument document)
    {
        var text = new StringBuilder();
        Write(text, command, document, depth: 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, string command, BsonDocument document, int depth)
    {
        var empty = true;
        text.Append('{');
        foreach (var element in document)
        {
            if (depth == 0 && IsPlumbing(element.Name))
            {
                continue;
            }

            text.Append(empty ? " " : ", ");
            empty = false;
            if (text.Length > Longest)
            {
                text.Append('…');
                break;
            }

            text.Append(element.Name).Append(": ");
            if (depth == 0 && element.Value.IsString && CommandNames.IsCollection(command, element.Name))
            {
                text.Append(element.Value.AsString);
            }
            else
            {
                Write(text, element.Value, depth + 1);
            }
        }

        text.Append(empty ? "}" : " }");
    }

    private static void Write(StringBuilder text, BsonValue value, int depth)
    {
        switch (value)
        {
            case BsonDocument or BsonArray when depth > Deepest:
                text.Append('…');
                break;
            case BsonDocument document:
                Write(text, "", document, depth);
                break;
            case BsonArray array:
                Write(text, array, depth);
                break;
            default:
                text.Append('?');
                break;
        }
    }

    // Items of one shape are written once with their number: a list of a thousand keys is as long as a list of two.
    private static void Write(StringBuilder text, BsonArray array, int depth)
    {
        text.Append('[');
        string? last = null;
        var same = 0;
        var any = false;
        foreach (var item in array)
        {
            var shape = new StringBuilder();
            Write(shape, item, depth + 1);
            var next = shape.ToString();
            if (next == last)
            {
                same++;
                continue;
            }

            Flush();
            if (text.Length > Longest)
            {
                last = "…";
                same = 1;
                break;
            }

            (last, same) = (next, 1);
        }

        Flush();
        text.Append(']');

        void Flush()
        {
            if (last is null)
            {
                return;
            }

            text.Append(any ? ", " : "").Append(last);
            any = true;
            if (same > 1)
            {
                text.Append(" × ").Append(same);
            }
        }
    }

    // What the driver adds to every command says nothing about the statement.
    private static bool IsPlumbing(string name) =>
        name is "lsid" or "txnNumber" or "autocommit" or "startTransaction" or "readConcern" or "writeConcern" || name.StartsWith('$');
}
