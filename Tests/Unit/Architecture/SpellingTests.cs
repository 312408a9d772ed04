using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Unit.Architecture;

/// <summary>The pages are spelt as Debian's British dictionary says, or as <c>docs/words.txt</c> does.</summary>
public sealed partial class SpellingTests
{
    private const string Dictionary = "/usr/share/dict/british-english";

    [Fact]
    public void Every_word_of_a_page_is_one()
    {
        var known = Known();
        var pages = ((string[])["docs", "Offline", ".github"])
            .SelectMany(directory => Directory.EnumerateFiles(Path.Combine(Repository.Root, directory), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository.Root, "*.md"));
        var words = pages.SelectMany(page => Words(File.ReadAllText(page)).Select(word => (Page: Path.GetFileName(page), Word: word))).Distinct().ToList();

        Assert.True(words.Count > 10_000, $"Only {words.Count} words were found: the pattern has gone blind.");
        Assert.Empty(words.Where(word => !IsWord(word.Word, known)).Select(word => $"{word.Page}: {word.Word}"));
    }

    [Theory]
    [InlineData("The behaviour of a well-known server's replicas", "")]
    [InlineData("The behavior of a sevrer", "behavior sevrer")]
    [InlineData("Replica sets and Mongosh", "Mongosh")]
    [InlineData("`sevrer`, [a page](docs/sevrer.md), https://sevrer.example and collMod", "")]
    [InlineData("```\nsevrer\n```\n<!-- generated: begin -->\nsevrer\n<!-- generated: end -->", "")]
    public void A_word_that_is_none_is_found(string text, string expected)
    {
        var known = Known();
        Assert.Contains("mongosh", known);
        known.Remove("mongosh");
        Assert.Equal(expected, string.Join(' ', Words(text).Where(word => !IsWord(word, known))));
    }

    [Fact]
    public void Our_own_words_are_in_order_and_not_in_the_dictionary()
    {
        var own = Own().ToList();
        Assert.Equal(own.Order(StringComparer.OrdinalIgnoreCase).ThenBy(word => word, StringComparer.Ordinal), own);
        Assert.SkipUnless(File.Exists(Dictionary), Missing);
        Assert.DoesNotContain(own, File.ReadLines(Dictionary).ToHashSet(StringComparer.Ordinal).Contains);
    }

    private const string Missing = "There is no dictionary at " + Dictionary + ": './platform test' installs Debian's wbritish.";

    private static IEnumerable<string> Own() => File.ReadLines(Path.Combine(Repository.Root, "docs", "words.txt")).Where(line => line is not ['#', ..]);

    private static HashSet<string> Known()
    {
        Assert.SkipUnless(File.Exists(Dictionary), Missing);
        return [.. File.ReadLines(Dictionary), .. Own()];
    }

    // At the beginning of a sentence a word has a capital; what a protocol calls GET is a word as well.
    private static bool IsWord(string word, HashSet<string> known) => known.Contains(word) || known.Contains(char.ToLowerInvariant(word[0]) + word[1..])
        || (word.All(char.IsAsciiLetterUpper) && known.Contains(word.ToLowerInvariant()));

    private static IEnumerable<string> Words(string text) =>
        Word().Matches(NotProse().Replace(text, " ")).Select(match => match.Groups[1].Value).Where(word => word.Length > 1);

    // What is generated, code, where links lead, addresses and names of files.
    [GeneratedRegex(@"<!-- generated.*?generated: end -->|```.*?```|<!--.*?-->|``[^`]*``|`[^`]*`|(?<=\])\([^)]*\)|\S*\w[./_:]+\w\S*", RegexOptions.Singleline)]
    private static partial Regex NotProse();

    // Without the possessive; a name with a capital inside, or with a digit, is of code or of a product.
    [GeneratedRegex(@"(?<![\w'’])([A-Za-z]?(?:[a-z]+(?:['’](?!s\b)[a-z]+)?|[A-Z]+))(?:['’]s?)?(?![\w])")]
    private static partial Regex Word();
}
