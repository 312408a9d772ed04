using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Requests;

/// <summary>
/// Fields that a document has twice. The backend takes the last one, and who judges a command finds the first: with rights on one collection another one
/// could be read. The server refuses them, too.
/// </summary>
internal static class Twins
{
    private const ErrorCode DuplicateField = (ErrorCode)40413;

    // No command and no stage has as many; who sends more does not make the comparison long.
    private const int MostFields = 64;

    /// <summary>Throws <see cref="CommandException"/> when a name occurs twice.</summary>
    /// <param name="document">The document; what it nests is not looked at.</param>
    /// <param name="owner">What it belongs to, for the message.</param>
    public static void Refuse(RawDocument document, ReadOnlySpan<byte> owner)
    {
        var count = 0;
        foreach (var field in document)
        {
            if (++count > MostFields)
            {
                throw new CommandException(ErrorCode.BadValue, $"'{Text(owner)}' has more than {MostFields} fields.");
            }

            var before = count;
            foreach (var other in document)
            {
                if (--before == 0)
                {
                    break;
                }

                if (other.Name.SequenceEqual(field.Name))
                {
                    throw new CommandException(DuplicateField, $"BSON field '{Text(owner)}.{Text(field.Name)}' is a duplicate field");
                }
            }
        }
    }

    /// <summary>The same of each document in an array.</summary>
    public static void RefuseInEach(RawDocument array, ReadOnlySpan<byte> owner)
    {
        foreach (var element in array)
        {
            if (element.Type == BsonType.Document)
            {
                Refuse(element.Document, owner);
            }
        }
    }

    private static string Text(ReadOnlySpan<byte> name) => Printable.Of(Encoding.UTF8.GetString(name));
}
