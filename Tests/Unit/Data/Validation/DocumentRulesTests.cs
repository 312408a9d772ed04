using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Rules;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Unit.Data.Validation;

/// <summary>The rules as this program judges them.</summary>
public sealed class DocumentRulesTests
{
    public static TheoryData<string> Collections { get; } = [.. CollectionCatalogue.Domain.Select(collection => collection.Name)];

    [Theory]
    [MemberData(nameof(Collections))]
    public void Generated_documents_obey(string name)
    {
        var collection = Collection(name);
        var samples = new DocumentSamples(collection, seed: 1);
        for (var i = 0; i < 300; i++)
        {
            var document = samples.Valid();
            Assert.True(collection.Rules.Evaluate(document).Count == 0, $"{string.Join(" ", collection.Rules.Evaluate(document))} {document}");
        }
    }

    [Theory]
    [MemberData(nameof(Collections))]
    public void A_document_that_breaks_a_rule_is_refused_for_that_rule_and_no_other_field(string name)
    {
        var collection = Collection(name);
        var samples = new DocumentSamples(collection, seed: 2).OnePerRule().ToList();

        Assert.Equal(collection.Rules.Fields.Count + collection.Rules.CrossField.Count, samples.Count);
        Assert.True(samples.Count > 10, $"only {samples.Count} rules were looked at");
        foreach (var sample in samples)
        {
            var violations = collection.Rules.Evaluate(sample.Document);
            Assert.True(violations.Any(violation => violation.Code == sample.Code), $"{sample.Path} {sample.Code} was not noticed: {sample.Document}");
            Assert.Single(violations.Select(violation => violation.Pointer).Distinct());
            Assert.All(violations, violation => Assert.Matches(@"^\p{Lu}.*\.$", violation.Detail));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_documents()
    {
        string Run() =>
            string.Join('\n', Enumerable.Repeat(new DocumentSamples(CollectionCatalogue.Orders, 5), 20).Select(samples => samples.Changed().ToJson()));

        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void Every_pattern_has_a_sentence()
    {
        var patterns = CollectionCatalogue.Domain.SelectMany(collection => collection.Rules.Fields).Where(rule => rule.Code == RuleCodes.Pattern).ToList();

        Assert.True(patterns.Count >= 6, $"only {patterns.Count} patterns were looked at");
        Assert.Empty(patterns.Where(rule => rule.Sentence.Contains(rule.Limit, StringComparison.Ordinal)).Select(rule => rule.Path));
    }

    [Fact]
    public void Codes_of_rules_over_several_fields_are_unique_in_their_collection()
    {
        foreach (var collection in CollectionCatalogue.Domain)
        {
            var codes = collection.CrossField.Select(rule => rule.Code).ToList();
            Assert.Equal(codes, codes.Distinct());
        }
    }

    [Theory]
    [InlineData("{ $set: { 'lines.1.total': NumberDecimal('7.01') } }", "/lines/1/total", "lineTotal")]
    [InlineData("{ $set: { 'subtotal': NumberDecimal('1') } }", "/subtotal", "subtotalIsSumOfLines")]
    public void A_rule_on_every_line_points_to_the_line(string change, string pointer, string code)
    {
        var order = Order();
        foreach (var element in BsonDocument.Parse(change)["$set"].AsBsonDocument)
        {
            if (element.Name == "lines.1.total")
            {
                order["lines"][1]["total"] = element.Value;
            }
            else
            {
                order[element.Name] = element.Value;
            }
        }

        Assert.Contains(CollectionCatalogue.Orders.Rules.Evaluate(order), violation => violation.Pointer == pointer && violation.Code == code);
    }

    [Fact]
    public void Lengths_are_counted_in_characters_and_not_in_bytes_or_UTF_16_units()
    {
        var product = new DocumentSamples(CollectionCatalogue.Products, 3).Valid();
        product["sku"] = string.Concat(Enumerable.Repeat("😀", 64));
        Assert.Empty(CollectionCatalogue.Products.Rules.Evaluate(product));

        product["sku"] = string.Concat(Enumerable.Repeat("😀", 65));
        Assert.Equal(
            new RuleViolation("/sku", "maxLength", "Must be 1 to 64 characters long."), Assert.Single(CollectionCatalogue.Products.Rules.Evaluate(product)));
    }

    [Fact]
    public void Sums_and_products_are_those_of_Decimal128()
    {
        // The product has 35 digits; the server keeps 34 and rounds half to even.
        var order = Order();
        order["lines"] = new BsonArray { Line("0.3333333333333333333333333333333333", 7, "2.333333333333333333333333333333333") };
        order["subtotal"] = order["lines"][0]["total"];
        order["tax"] = Decimal128.Parse("0.000");
        order["total"] = order["subtotal"];
        // No currency has as many decimals, which is another rule.
        Assert.Equal("unitPriceIsAmountOfCurrency", Assert.Single(CollectionCatalogue.Orders.Rules.Evaluate(order)).Code);

        order["lines"][0]["total"] = Decimal128.Parse("2.333333333333333333333333333333334");
        Assert.Contains(CollectionCatalogue.Orders.Rules.Evaluate(order), violation => violation is { Pointer: "/lines/0/total", Code: "lineTotal" });
    }

    [Fact]
    public void Requests_take_their_rules_from_stored_members_only()
    {
        Assert.Equal(10_000, DocumentRules.Of((OrderLine line) => line.Quantity).Maximum);
        Assert.Throws<ArgumentException>(() => DocumentRules.Of((OrderLine line) => line.Name.Length));
    }

    [Fact]
    public void A_document_is_checked_before_it_is_written_by_the_same_rules()
    {
        var item = new InventoryItem
        {
            Id = ObjectId.GenerateNewId(), TenantId = ObjectId.GenerateNewId(), ProductId = ObjectId.GenerateNewId(), StoreId = ObjectId.GenerateNewId(),
            OnHand = 1, Reserved = 2, ReorderLevel = 0, UpdatedAt = DateTime.UnixEpoch,
        };

        var violation = Assert.Single(CollectionCatalogue.Inventory.Rules.Evaluate(item.ToBsonDocument()));

        Assert.Equal(("/reserved", "reservedWithinOnHand", "Must not be more than onHand."), (violation.Pointer, violation.Code, violation.Detail));
    }

    private static CollectionDefinition Collection(string name) => CollectionCatalogue.Domain.Single(collection => collection.Name == name);

    private static BsonDocument Line(string price, int quantity, string total) => new()
    {
        { "productId", ObjectId.GenerateNewId() }, { "sku", "a" }, { "name", "Ant" }, { "quantity", quantity },
        { "unitPrice", Decimal128.Parse(price) }, { "total", Decimal128.Parse(total) },
    };

    private static BsonDocument Order()
    {
        var order = new DocumentSamples(CollectionCatalogue.Orders, 4).Valid();
        order["lines"] = new BsonArray { Line("1.50", 2, "3"), Line("7", 1, "7.00") };
        order["currency"] = "EUR";
        order["subtotal"] = Decimal128.Parse("10");
        order["tax"] = Decimal128.Parse("0.19");
        order["total"] = Decimal128.Parse("10.190");
        order.Remove("itemCount");
        return order;
    }
}
