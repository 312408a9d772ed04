using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Sharding;

public sealed class ShardingPageTests
{
    [Fact]
    public void The_page_on_sharding_shows_the_catalogue_and_the_simulations_as_they_are() =>
        GeneratedPage.CheckPart("sharding.md", "the collection catalogue", ShardingDocumentation.Render());

    [Fact]
    public void The_picture_of_the_page_shows_the_simulation_as_it_is() =>
        GeneratedPage.Check("sharding-growth.svg", ShardingDocumentation.Picture());
}
