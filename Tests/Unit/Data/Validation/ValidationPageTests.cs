using Platform.Api.Requests;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Data.Validation;

public sealed class ValidationPageTests
{
    [Fact]
    public void The_page_on_validation_shows_the_rules_as_they_are() =>
        GeneratedPage.CheckPart("validation.md", "the rules", ValidationDocumentation.Render(RequestValidators.Rules()));

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
        var rules = CollectionCatalogue.Domain
            .SelectMany(collection => collection.Rules.Fields.Select(rule => (collection.Name, rule.Path, rule.Code))
                .Concat(collection.Rules.CrossField.Select(rule => (collection.Name, rule.Path, rule.Code))))
            .ToList();

        Assert.All(
            EngineSupport.CannotBeBroken.Concat(EngineSupport.NotOnDocumentDb),
            exception => Assert.Contains(rules, rule => exception.Covers(rule.Name, rule.Path, rule.Code)));
        Assert.All(
            CollectionCatalogue.Domain.SelectMany(collection => collection.Rules.Fields),
            rule => Assert.Contains(rule.Code, EngineSupport.MongoDbKeywords));
    }
}
