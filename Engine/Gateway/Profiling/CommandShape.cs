using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;

namespace Platform.Gateway.Profiling;

/// <summary>What a command asks for without the values it names: for the log, which must not hold data, and to tell alike commands.</summary>
internal static class CommandShape
{
    private const int LongestText = 1024;

    /// <summary>
    /// The command with every value replaced by <c>?</c>; names of collections and fields, operators and sort directions stay.
    /// At most 1,024 characters.
    /// </summary>
    public static string Text(BsonDocument command)
    {
        var shape = new BsonDocument { AllowDuplicateNames = true };
        foreach (var element in command)
        {
            switch (element.Name)
            {
                case "$db" or "lsid" or "txnNumber" or "$clusterTime" or "$readPreference" or "startTransaction" or "autocommit" or "documents":
                    break;
                case "sort" or "hint" or "projection" or "fields" or "key":
                    shape.Add(element);
                    break;
                default:
                    shape.Add(element.Name, shape.ElementCount == 0 ? element.Value : Of(element.Value));
                    break;
            }
        }

        var text = shape.ToString();
        return text.Length <= LongestText ? text : text[..LongestText] + "…";
    }

    /// <summary>Eight hexadecimal digits that are the same for commands of one shape.</summary>
    public static string Hash(BsonDocument command) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Text(command))).AsSpan(0, 4)).ToUpper(CultureInfo.InvariantCulture);

    private static BsonValue Of(BsonValue value) => value switch
    {
        BsonDocument document => new BsonDocument { AllowDuplicateNames = true }.AddRange(document.Select(e => new BsonElement(
            e.Name, e.Name is "$sort" ? e.Value : Of(e.Value)))),
        // Of many alike elements one tells enough.
        BsonArray array when array.All(v => v is not BsonDocument) => new BsonArray(array.Take(1).Select(Of)),
        BsonArray array => new BsonArray(array.Take(50).Select(Of)),
        // A path is no datum.
        BsonString { Value: ['$', ..] } path => path,
        _ => "?",
    };
}
