using System.Text;

namespace Platform.Data.Search;

/// <summary>Cuts texts into the words that are searched for: the same for what is kept with a document and for what somebody types.</summary>
/// <remarks>
/// A word is what stands between anything but letters and digits, folded: <c>XK-2000 Café</c> is <c>xk</c>, <c>2000</c>, <c>cafe</c>.
/// Chinese and Japanese characters are words of their own, since no space parts the words that they are in. Words hold letters and digits only, so
/// they mean nothing to a server but themselves. Changing what comes of a text needs a migration that makes the words in databases anew.
/// </remarks>
public static class SearchText
{
    /// <summary>The most characters (code points) of a word; of a longer one the beginning counts.</summary>
    public const int MaxLength = 40;

    /// <summary>The words of a text, in order, also those that it has several times.</summary>
    /// <param name="text">The text; what is no Unicode in it parts words.</param>
    public static IEnumerable<string> Words(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Cut(text);
    }

    /// <summary>The different words of texts, in order.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="most">How many words at most; further ones are left out.</param>
    public static IReadOnlyList<string> Distinct(IEnumerable<string> texts, int most) =>
        [.. texts.SelectMany(Words).Distinct(StringComparer.Ordinal).Take(most)];

    private static IEnumerable<string> Cut(string text)
    {
        var word = new StringBuilder();
        var length = 0;
        foreach (var (character, alone) in Characters(text))
        {
            if (character is { } letter && !alone)
            {
                if (length++ < MaxLength)
                {
                    word.Append(letter.ToString());
                }

                continue;
            }

            if (length > 0)
            {
                yield return word.ToString();
                word.Clear();
                length = 0;
            }

            if (alone)
            {
                yield return character.ToString()!;
            }
        }

        if (length > 0)
        {
            yield return word.ToString();
        }
    }

    // The folded characters of a text; null for what parts words.
    private static List<(Rune? Character, bool Alone)> Characters(string text)
    {
        var characters = new List<(Rune? Character, bool Alone)>(text.Length);
        foreach (var character in text.EnumerateRunes())
        {
            foreach (var folded in TextFolding.Fold(in character))
            {
                characters.Add(IsOfWord(folded) ? (folded, IsWord(folded)) : (null, false));
            }
        }

        return characters;
    }

    // The marks that are left are vowels, as scripts of India write them.
    private static bool IsOfWord(Rune character) => Rune.IsLetter(character) || Rune.IsNumber(character) || Rune.GetUnicodeCategory(character)
        is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    // Ideographs, Hiragana and Katakana.
    private static bool IsWord(Rune character) => character.Value is (>= 0x3005 and <= 0x3007) or (>= 0x3021 and <= 0x3029) or (>= 0x3041 and <= 0x30FF)
        or (>= 0x31F0 and <= 0x31FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0x1AFF0 and <= 0x1B16F) or (>= 0x20000 and <= 0x3FFFF);
}
