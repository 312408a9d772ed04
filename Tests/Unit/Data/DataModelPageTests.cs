using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class DataModelPageTests
{
    [Fact]
    public void The_page_on_the_data_model_shows_the_catalogue_as_it_is() =>
        GeneratedPage.CheckPart("data-model.md", "the collection catalogue", CatalogueDocumentation.Render());
}
