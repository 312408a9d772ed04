using Xunit;

namespace Platform.Tests.TestKit.Pages;

/// <summary>
/// Pages under <c>docs/</c> of which a part, or all, is made from the code. A test holds each to it; run with
/// <c>PLATFORM_UPDATE_DOCS=1</c> it writes the page instead.
/// </summary>
internal static class GeneratedPage
{
    private const string End = "<!-- generated: end -->";

    /// <summary>Checks the part of a page between <c>&lt;!-- generated from SOURCE: begin --&gt;</c> and <c>&lt;!-- generated: end --&gt;</c>.</summary>
    /// <param name="name">The page's file name.</param>
    /// <param name="source">What the part is made from, as its mark says.</param>
    /// <param name="content">What the part has to be.</param>
    public static void CheckPart(string name, string source, string content)
    {
        var page = File.ReadAllText(PathOf(name));
        var mark = $"<!-- generated from {source}: begin -->\n";
        var begin = page.IndexOf(mark, StringComparison.Ordinal) + mark.Length;
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= mark.Length && end >= begin, $"docs/{name} lacks the marks of its generated part.");
        Check(name, $"{page[..begin]}\n{content.TrimEnd('\n')}\n\n{page[end..]}");
    }

    /// <summary>Checks a whole page.</summary>
    /// <param name="name">The page's file name.</param>
    /// <param name="wanted">What the page has to be.</param>
    public static void Check(string name, string wanted)
    {
        var path = PathOf(name);
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, wanted);
            return;
        }

        var page = File.Exists(path) ? File.ReadAllText(path) : "";
        Assert.True(wanted == page, $"docs/{name} is stale: run this test with PLATFORM_UPDATE_DOCS=1 and commit the page.");
    }

    private static string PathOf(string name) => Path.Combine(Repository.Root, "docs", name);
}
