using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class IndexesPageTests
{
    [Fact]
    public void The_page_on_indexes_shows_the_catalogue_as_it_is() =>
        GeneratedPage.CheckPart("indexes.md", "the collection catalogue", IndexDocumentation.Render());
}
