using System.Globalization;
using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Authorization;

/// <summary>A command as a refusal quotes it: <c>{ drop: "orders", $db: "shop" }</c>.</summary>
internal static class CommandText
{
    private const int Longest = 500;

    // Passwords and proofs, also those of a command that is refused.
    private static readonly string[] s_secrets = ["pwd", "payload", "customData"];

    /// <summary>The error of a command that its user may not send, as the server words it.</summary>
    public static CommandException Refusal(Request request) =>
        new(ErrorCode.Unauthorized, $"not authorized on {Printable.Of(request.Database)} to execute command {Of(request.Body)}");

    /// <summary>The text, on one line and not longer than some hundred characters.</summary>
    public static string Of(RawDocument command)
    {
        var text = new StringBuilder();
        Add(text, command, isArray: false);
        return Printable.Of(text.ToString(), Longest);
    }

    private static void Add(StringBuilder text, RawDocument document, bool isArray)
    {
        text.Append(isArray ? "[ " : "{ ");
        var first = true;
        foreach (var element in document)
        {
            if (text.Length > Longest)
            {
                return;
            }

            text.Append(first ? "" : ", ");
            first = false;
            var name = element.NameText;
            if (!isArray)
            {
                text.Append(name).Append(": ");
            }

            if (!isArray && Array.IndexOf(s_secrets, name) >= 0)
            {
                text.Append("\"xxx\"");
                continue;
            }

            switch (element.Type)
            {
                case BsonType.Document or BsonType.Array:
                    Add(text, element.Document, element.Type == BsonType.Array);
                    break;
                case BsonType.String:
                    text.Append('"').Append(element.StringBytes.Length > Longest ? "…" : element.Text).Append('"');
                    break;
                case BsonType.Boolean:
                    text.Append(element.Truthy ? "true" : "false");
                    break;
                case BsonType.Int32 or BsonType.Int64:
                    text.Append(CultureInfo.InvariantCulture, $"{element.Integer}");
                    break;
                case BsonType.Null:
                    text.Append("null");
                    break;
                case BsonType.Binary when element.Value.Length == 21 && element.Value.Span[4] == 4:
                    text.Append(CultureInfo.InvariantCulture, $"UUID(\"{new Guid(element.Value.Span[5..], bigEndian: true)}\")");
                    break;
                default:
                    text.Append('<').Append(element.Type.ToString()).Append('>');
                    break;
            }
        }

        text.Append(isArray ? " ]" : " }");
    }
}
