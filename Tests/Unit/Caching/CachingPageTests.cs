using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Caching;

public sealed class CachingPageTests
{
    [Fact]
    public void The_page_on_caching_shows_the_catalogue_as_it_is() =>
        GeneratedPage.CheckPart("caching.md", "the cache catalogue", CacheDocumentation.Render());
}
