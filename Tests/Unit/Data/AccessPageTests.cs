using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class AccessPageTests
{
    [Fact]
    public void The_page_on_access_shows_the_catalogue_as_it_is() =>
        GeneratedPage.CheckPart("access.md", "the access catalogue", AccessDocumentation.Render());
}
