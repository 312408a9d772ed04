using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Platform.Data.Search;

/// <summary>
/// What of a character counts when texts are compared by what people read: no accents, no case, no typographic forms. <c>É</c>, composed
/// or not, is <c>e</c>, <c>ı</c> is <c>i</c>, <c>ß</c> is <c>ss</c>, <c>ﬁ</c> is <c>fi</c>, <c>２</c> is <c>2</c>.
/// </summary>
/// <remarks>
/// From a table of its own (NFKD, marks removed, case folded; <c>folding.mjs</c> makes it), since the platform's programs run without the
/// cultural data of the system, where .NET takes every text for normalised; and so that what databases hold does not change with either.
/// </remarks>
internal static class TextFolding
{
    private const int FirstSyllable = 0xAC00;
    private const int LastSyllable = 0xD7A3;
    private const int Vowels = 21;
    private const int Finals = 28;

    private static readonly Lazy<FrozenDictionary<int, Rune[]>> s_table = new(Read);

    /// <summary>Folds a character: any number of characters come of it, which are folded themselves.</summary>
    /// <param name="character">The character.</param>
    public static ReadOnlySpan<Rune> Fold(ref readonly Rune character)
    {
        if (character.IsAscii && character.Value is < 'A' or > 'Z')
        {
            return new(in character);
        }

        if (character.Value is >= FirstSyllable and <= LastSyllable)
        {
            return Letters(character.Value - FirstSyllable);
        }

        return s_table.Value.TryGetValue(character.Value, out var folded) ? folded : new ReadOnlySpan<Rune>(in character);
    }

    // https://www.unicode.org/versions/Unicode17.0.0/core-spec/chapter-3/#G24646
    private static Rune[] Letters(int syllable)
    {
        var (first, vowel, final) = (syllable / (Vowels * Finals), syllable / Finals % Vowels, syllable % Finals);
        return final == 0 ? [new(0x1100 + first), new(0x1161 + vowel)] : [new(0x1100 + first), new(0x1161 + vowel), new(0x11A7 + final)];
    }

    private static FrozenDictionary<int, Rune[]> Read()
    {
        using var stream = typeof(TextFolding).Assembly.GetManifestResourceStream("folding.txt")!;
        using var reader = new StreamReader(stream);
        var table = new Dictionary<int, Rune[]>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            var parts = line.Split(' ');
            Rune[] folded = parts[0] == "-" ? [] : [.. parts[0].Split('+').Select(code => new Rune(Number(code)))];
            foreach (var range in parts.Skip(1).Select(part => part.Split('-')))
            {
                for (var code = Number(range[0]); code <= Number(range[^1]); code++)
                {
                    table.Add(code, folded);
                }
            }
        }

        return table.ToFrozenDictionary();

        static int Number(string code) => int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
