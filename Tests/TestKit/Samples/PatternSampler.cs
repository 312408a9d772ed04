using System.Globalization;
using System.Text;

namespace Platform.Tests.TestKit.Samples;

/// <summary>
/// Makes texts that match a regular expression. Knows the part of the syntax that the rules use: characters, escapes, classes,
/// groups without alternatives, quantifiers and anchors; anything else is refused.
/// </summary>
internal sealed class PatternSampler
{
    // What negated classes are filled from; the last ones are two, three and four bytes long in UTF-8.
    private static readonly string[] s_alphabet =
        [.. Enumerable.Range(0x20, 0x5f).Select(code => ((char)code).ToString()), "é", "ß", "汉", "😀"];

    private readonly IReadOnlyList<Part> _parts;

    private PatternSampler(IReadOnlyList<Part> parts) => _parts = parts;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="NotSupportedException">The pattern uses other syntax.</exception>
    public static PatternSampler Parse(string pattern)
    {
        var at = 0;
        return new PatternSampler(Sequence(pattern, ref at, inGroup: false));
    }

    /// <summary>A text that matches and has a length in code points between the limits.</summary>
    /// <exception cref="InvalidOperationException">None was found.</exception>
    public string Sample(Random random, int minLength, int maxLength)
    {
        var most = Math.Clamp(minLength, 2, 8);
        for (var attempt = 0; attempt < 2000; attempt++)
        {
            var text = new StringBuilder();
            Write(_parts, text, random, most);
            var sample = text.ToString();
            var length = sample.EnumerateRunes().Count();
            if (length >= minLength && length <= maxLength)
            {
                return sample;
            }

            most = length < minLength ? (most * 3 / 2) + 1 : Math.Max(1, most / 2);
        }

        throw new InvalidOperationException($"No text of {minLength} to {maxLength} characters was found that matches.");
    }

    private static void Write(IReadOnlyList<Part> parts, StringBuilder text, Random random, int most)
    {
        foreach (var part in parts)
        {
            var count = random.Next(part.Min, Math.Max(part.Min, Math.Min(part.Max, part.Min + most)) + 1);
            for (var i = 0; i < count; i++)
            {
                if (part.Group is not null)
                {
                    Write(part.Group, text, random, most);
                }
                else
                {
                    text.Append(part.Characters[random.Next(part.Characters.Count)]);
                }
            }
        }
    }

    private static List<Part> Sequence(string pattern, ref int at, bool inGroup)
    {
        var parts = new List<Part>();
        while (at < pattern.Length)
        {
            var character = pattern[at];
            if (character == ')' && inGroup)
            {
                at++;
                return parts;
            }

            if (character is '^' or '$' || pattern.AsSpan(at).StartsWith("\\z", StringComparison.Ordinal))
            {
                at += character == '\\' ? 2 : 1;
                continue;
            }

            IReadOnlyList<string> characters = [];
            IReadOnlyList<Part>? group = null;
            switch (character)
            {
                case '[':
                    characters = Class(pattern, ref at);
                    break;
                case '(':
                    at++;
                    group = Sequence(pattern, ref at, inGroup: true);
                    break;
                case '|' or '.' or '*' or '+' or '?' or '{':
                    throw new NotSupportedException($"'{character}' at {at} of {pattern} is not syntax that samples are made for.");
                default:
                    characters = [Character(pattern, ref at)];
                    break;
            }

            var (min, max) = Quantifier(pattern, ref at);
            parts.Add(new Part(characters, group, min, max));
        }

        return parts;
    }

    private static List<string> Class(string pattern, ref int at)
    {
        at++;
        var negated = pattern[at] == '^';
        at += negated ? 1 : 0;
        var ranges = new List<(int From, int To)>();
        while (pattern[at] != ']')
        {
            var from = char.ConvertToUtf32(Character(pattern, ref at), 0);
            var to = from;
            if (pattern[at] == '-' && pattern[at + 1] != ']')
            {
                at++;
                to = char.ConvertToUtf32(Character(pattern, ref at), 0);
            }

            ranges.Add((from, to));
        }

        at++;
        return negated
            ? [.. s_alphabet.Where(text => !ranges.Exists(range => char.ConvertToUtf32(text, 0) >= range.From && char.ConvertToUtf32(text, 0) <= range.To))]
            : [.. ranges.SelectMany(range => Enumerable.Range(range.From, range.To - range.From + 1)).Select(char.ConvertFromUtf32)];
    }

    private static string Character(string pattern, ref int at)
    {
        if (pattern[at] != '\\')
        {
            return pattern[at++].ToString();
        }

        if (pattern[at + 1] == 'x')
        {
            at += 4;
            return ((char)int.Parse(pattern.AsSpan(at - 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString();
        }

        at += 2;
        return char.IsAsciiLetterOrDigit(pattern[at - 1])
            ? throw new NotSupportedException($"\\{pattern[at - 1]} in {pattern} is not syntax that samples are made for.")
            : pattern[at - 1].ToString();
    }

    private static (int Min, int Max) Quantifier(string pattern, ref int at)
    {
        switch (at < pattern.Length ? pattern[at] : ' ')
        {
            case '+':
                at++;
                return (1, int.MaxValue);
            case '*':
                at++;
                return (0, int.MaxValue);
            case '?':
                at++;
                return (0, 1);
            case '{':
                var end = pattern.IndexOf('}', at);
                var bounds = pattern[(at + 1)..end].Split(',');
                at = end + 1;
                var min = int.Parse(bounds[0], CultureInfo.InvariantCulture);
                return (min, bounds.Length == 1 ? min : bounds[1].Length == 0 ? int.MaxValue : int.Parse(bounds[1], CultureInfo.InvariantCulture));
            default:
                return (1, 1);
        }
    }

    private sealed record Part(IReadOnlyList<string> Characters, IReadOnlyList<Part>? Group, int Min, int Max);
}
