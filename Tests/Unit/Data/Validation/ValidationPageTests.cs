using Platform.Api.Requests;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Xunit;

namespace Platform.Tests.Unit.Data.Validation;

public sealed class ValidationPageTests
{
    private const string Begin = "<!-- generated from the rules: begin -->\n";
    private const string End = "<!-- generated: end -->";

    [Fact]
    public void The_page_on_validation_shows_the_rules_as_they_are()
    {
        var path = Path.Combine(Repository.Root, "docs", "validation.md");
        var page = File.ReadAllText(path);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, "docs/validation.md lacks the marks of its generated part.");

        var wanted = page[..begin] + "\n" + ValidationDocumentation.Render(RequestValidators.Rules()) + page[end..];
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, wanted);
            return;
        }

        Assert.True(wanted == page, "docs/validation.md is stale: run this test with PLATFORM_UPDATE_DOCS=1 and commit the page.");
    }

    [Fact]
    public void Requests_follow_the_rules_of_the_orders_that_they_become()
    {
        Assert.Equal(
            [
                "OrderRequest.customerId", "OrderRequest.storeId", "OrderRequest.lines", "OrderRequest.lines productOnce",
                "OrderRequestLine.productId", "OrderRequestLine.quantity",
            ],
            RequestValidators.Rules().Select(rule => $"{rule.Request}.{rule.Member} {rule.CrossFieldCode}".TrimEnd()));
    }

    [Fact]
    public void What_is_said_of_servers_speaks_of_rules_that_exist_and_of_keywords_that_MongoDB_has()
    {
        var rules = CollectionCatalogue.All
            .SelectMany(collection => collection.Rules.Fields.Select(rule => (collection.Name, rule.Path, rule.Code))
                .Concat(collection.Rules.CrossField.Select(rule => (collection.Name, rule.Path, rule.Code))))
            .ToList();

        Assert.All(
            EngineSupport.CannotBeBroken.Concat(EngineSupport.NotOnDocumentDb),
            exception => Assert.Contains(rules, rule => exception.Covers(rule.Name, rule.Path, rule.Code)));
        Assert.All(
            CollectionCatalogue.All.SelectMany(collection => collection.Rules.Fields),
            rule => Assert.Contains(rule.Code, EngineSupport.MongoDbKeywords));
    }
}
