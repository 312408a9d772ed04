using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Unit.Architecture;

/// <summary>The links of the documents: each names a file of the repository, and a heading that the file has.</summary>
public sealed partial class DocumentLinkTests
{
    [Fact]
    public void Every_link_leads_somewhere()
    {
        var documents = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Repository.Root, "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "Offline"), "README.md", SearchOption.AllDirectories))
            .ToList();
        var links = documents.SelectMany(document => LinksOf(File.ReadAllText(document)).Select(link => (document, link))).ToList();

        Assert.True(links.Count > 200, $"Only {links.Count} links were found: the pattern has gone blind.");
        Assert.Empty(links
            .Where(link => !Leads(link.document, link.link))
            .Select(link => $"{Path.GetRelativePath(Repository.Root, link.document)}: {link.link}"));
    }

    [Theory]
    [InlineData("[a](README.md)", true)]
    [InlineData("[a](docs/testing.md#tests-on-any-mongodb)", true)]
    [InlineData("[a](docs/testing.md#tests-on-no-mongodb)", false)]
    [InlineData("[a](docs/nowhere.md)", false)]
    [InlineData("[a](https://www.mongodb.com/docs/)", true)]
    [InlineData("`[a](docs/nowhere.md)`", true)]
    [InlineData("```\n[a](docs/nowhere.md)\n```", true)]
    public void A_wrong_link_is_found(string text, bool leads) =>
        Assert.Equal(leads, LinksOf(text).All(link => Leads(Path.Combine(Repository.Root, "README.md"), link)));

    // Those to other sites are not followed.
    private static IEnumerable<string> LinksOf(string text) =>
        Link().Matches(Code().Replace(text, "")).Select(match => match.Groups[1].Value).Where(link => !link.Contains(':', StringComparison.Ordinal));

    private static bool Leads(string document, string link)
    {
        var (path, heading) = link.Split('#', 2) is [var before, var after] ? (before, after) : (link, "");
        var target = path.Length == 0 ? document : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document)!, path));
        return Path.Exists(target) && (heading.Length == 0 || HeadingsOf(File.ReadAllText(target)).Contains(heading, StringComparer.Ordinal));
    }

    // As the sites that show Markdown name them: small letters, no marks but hyphens.
    private static IEnumerable<string> HeadingsOf(string text) =>
        Heading().Matches(Fence().Replace(text, ""))
            .Select(match => NotInName().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInName();
}
