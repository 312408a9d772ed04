using Xunit;

namespace Platform.Tests.Unit.Architecture;

public sealed class FolderGraphTests
{
    private static readonly (string Type, string Folder, IEnumerable<(string, string)> Uses)[] s_layers =
    [
        ("Api", "Endpoints", [("Order", "Orders"), ("Cache", "Caching")]),
        ("Order", "Orders", [("Cache", "Caching"), ("Line", "Orders")]),
        ("Cache", "Caching", []),
    ];

    [Fact]
    public void Layers_have_no_cycle() => Assert.Empty(FolderGraph.Of(s_layers).Cycles());

    [Fact]
    public void One_arrow_upwards_is_found_with_all_that_it_closes()
    {
        var cycles = FolderGraph.Of([.. s_layers, ("Key", "Caching", [("Api", "Endpoints")])]).Cycles();
        Assert.Equal(
            [
                "Caching uses Endpoints (Key -> Api)",
                "Endpoints uses Caching (Api -> Cache)",
                "Endpoints uses Orders (Api -> Order)",
                "Orders uses Caching (Order -> Cache)",
            ],
            cycles);
    }
}
