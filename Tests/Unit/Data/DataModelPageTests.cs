using Platform.Data.Catalogue;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class DataModelPageTests
{
    private const string Begin = "<!-- generated from the collection catalogue: begin -->\n";
    private const string End = "<!-- generated: end -->";

    [Fact]
    public void The_page_on_the_data_model_shows_the_catalogue_as_it_is()
    {
        var path = Path.Combine(Repository.Root, "docs", "data-model.md");
        var page = File.ReadAllText(path);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, "docs/data-model.md lacks the marks of its generated part.");

        var wanted = page[..begin] + "\n" + CatalogueDocumentation.Render() + page[end..];
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, wanted);
            return;
        }

        Assert.True(wanted == page, "docs/data-model.md is stale: run this test with PLATFORM_UPDATE_DOCS=1 and commit the page.");
    }
}
