using Platform.Data.Catalogue;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class IndexesPageTests
{
    private const string Begin = "<!-- generated from the collection catalogue: begin -->\n";
    private const string End = "<!-- generated: end -->";

    [Fact]
    public void The_page_on_indexes_shows_the_catalogue_as_it_is()
    {
        var path = Path.Combine(Repository.Root, "docs", "indexes.md");
        var page = File.ReadAllText(path);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, "docs/indexes.md lacks the marks of its generated part.");

        var wanted = page[..begin] + "\n" + IndexDocumentation.Render() + page[end..];
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, wanted);
            return;
        }

        Assert.True(wanted == page, "docs/indexes.md is stale: run this test with PLATFORM_UPDATE_DOCS=1 and commit the page.");
    }
}
