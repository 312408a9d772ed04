using System.Globalization;
using System.Text;

namespace Platform;

/// <summary>
/// What others say, as a log or a terminal may show it: without characters that begin a line, move a cursor or turn the direction, and not too long.
/// </summary>
public static class Printable
{
    /// <summary>How many characters of a text are shown unless told otherwise.</summary>
    public const int Longest = 300;

    /// <summary>The text with such characters as <c>\uXXXX</c>; the same object when there is none.</summary>
    public static string Of(string text, int longest = Longest)
    {
        ArgumentNullException.ThrowIfNull(text);
        var plain = text.Length <= longest;
        for (var i = 0; plain && i < text.Length; i++)
        {
            plain = !Hidden(text[i]);
        }

        if (plain)
        {
            return text;
        }

        var shown = new StringBuilder(Math.Min(text.Length, longest) + 32);
        foreach (var character in text)
        {
            if (shown.Length >= longest)
            {
                shown.Append('…');
                break;
            }

            if (Hidden(character))
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}");
            }
            else
            {
                shown.Append(character);
            }
        }

        return shown.ToString();
    }

    private static bool Hidden(char character) =>
        character is < ' ' or > '~' && char.GetUnicodeCategory(character)
            is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
