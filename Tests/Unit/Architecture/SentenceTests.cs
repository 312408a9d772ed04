using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Unit.Architecture;

/// <summary>Sentences of the pages that are written by hand can be read in one breath.</summary>
public sealed partial class SentenceTests
{
    // A part up to a semicolon or a colon can be read by itself, and so can each item of a list.
    private const int MostWords = 35;

    [Fact]
    public void No_sentence_of_a_page_is_longer_than_thirty_five_words()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md").Concat(Directory.EnumerateFiles(Repository.Root, "*.md"));
        var sentences = pages
            .SelectMany(page => Sentences(File.ReadAllText(page)).Select(sentence => (Page: Path.GetFileName(page), Sentence: sentence)))
            .ToList();

        Assert.True(sentences.Count > 2_000, $"Only {sentences.Count} sentences were found: the pattern has gone blind.");
        Assert.DoesNotContain(sentences, sentence => Words(sentence.Sentence) > MostWords);
    }

    [Fact]
    public void A_long_sentence_is_found()
    {
        var words = string.Join(' ', Enumerable.Repeat("word", MostWords));

        Assert.All(Sentences($"# A title\n\n{words}. {words};\n{words}\n\n- {words}\n- {words}"), sentence => Assert.Equal(MostWords, Words(sentence)));
        Assert.Contains(Sentences($"A [{words}](docs/x.md) more."), sentence => Words(sentence) > MostWords);
        Assert.Empty(Sentences($"```console\n{words} {words}\n```\n\n| {words} {words} |"));
    }

    private static IEnumerable<string> Sentences(string text) =>
        from block in Blank().Split(NotProse().Replace(text, ""))
        where block.TrimStart() is [not '|' and not '#', ..]
        from item in Item().Split(block)
        from sentence in End().Split(Link().Replace(item, "$1").Trim())
        where sentence.Length > 0
        select sentence;

    private static int Words(string sentence) => Space().Split(sentence.Trim()).Count(word => word != "-");

    // What is generated, and code.
    [GeneratedRegex("<!-- generated: begin.*?generated: end -->|```.*?```", RegexOptions.Singleline)]
    private static partial Regex NotProse();

    [GeneratedRegex(@"\n\s*\n")]
    private static partial Regex Blank();

    [GeneratedRegex(@"\n(?=\s*(?:[-*|]|\d+\.) ?)")]
    private static partial Regex Item();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<=[.:;?!·])\s")]
    private static partial Regex End();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
