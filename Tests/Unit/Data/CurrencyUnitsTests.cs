using MongoDB.Bson;
using Platform.Api.Orders;
using Platform.Api.Products;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Tests.Unit.Api;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class CurrencyUnitsTests
{
    private static readonly string[] Currencies = [.. CurrencyUnits.Unusual.SelectMany(unusual => unusual.Currencies), "EUR", "USD", "GBP", "CHF"];

    [Theory]
    [InlineData("EUR", 2)]
    [InlineData("USD", 2)]
    [InlineData("JPY", 0)]
    [InlineData("KWD", 3)]
    [InlineData("CLF", 4)]
    public void A_currency_has_the_minor_units_of_ISO_4217(string currency, int decimals) => Assert.Equal(decimals, CurrencyUnits.DecimalsOf(currency));

    [Theory]
    [InlineData("1.005", "EUR", false)]
    [InlineData("1.050", "EUR", true)]
    [InlineData("54.99", "JPY", false)]
    [InlineData("54.00", "JPY", true)]
    [InlineData("1.005", "KWD", true)]
    [InlineData("1.0005", "KWD", false)]
    public void An_amount_has_no_more_decimals_than_its_currency(string number, string currency, bool expected)
    {
        var price = decimal.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(expected, CurrencyUnits.IsAmount(price, currency));

        var product = Stored(Product(price, currency)).ToBsonDocument();
        var violations = CollectionCatalogue.Products.Rules.Evaluate(product);
        Assert.Equal(expected ? [] : ["priceIsAmountOfCurrency"], violations.Select(violation => violation.Code));
    }

    [Theory]
    [InlineData("2.345", "EUR", "2.35")]
    [InlineData("2.5", "JPY", "3")]
    [InlineData("2.4999", "KWD", "2.500")]
    [InlineData("-2.345", "EUR", "-2.35")]
    public void What_is_calculated_is_rounded_half_away_from_zero(string number, string currency, string expected) => Assert.Equal(
        decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture),
        CurrencyUnits.Round(decimal.Parse(number, System.Globalization.CultureInfo.InvariantCulture), currency));

    [Fact]
    public void Orders_lines_and_sales_add_up_to_the_same_amount_in_every_currency()
    {
        var random = new Random(4217);
        for (var round = 0; round < 300; round++)
        {
            var currency = Currencies[random.Next(Currencies.Length)];
            var tenant = ApiFactory.NewTenant("acme") with { Currency = currency };

            // Whole numbers of the smallest unit are the model.
            var unit = 1m / (decimal)Math.Pow(10, CurrencyUnits.DecimalsOf(currency));
            var priced = Enumerable.Range(0, random.Next(1, 20))
                .Select(_ => (Units: random.NextInt64(0, 10_000_000), Quantity: random.Next(1, 10_001)))
                .ToList();
            var products = priced.Select(line => Product(line.Units * unit, currency)).ToList();
            Assert.Null(OrderBook.FindWronglyPriced(tenant, products));

            var draft = new OrderDraft(
                ObjectId.GenerateNewId(), true, ObjectId.GenerateNewId(), ObjectId.GenerateNewId(),
                [.. products.Zip(priced, (product, line) => (product.Id, line.Quantity))]);
            var order = OrderBook.Write(tenant, draft, products.ToDictionary(product => product.Id), DateTime.UnixEpoch);

            var expected = priced.Sum(line => (decimal)line.Units * line.Quantity) * unit;
            var sales = OrderBook.SalesOf(order);
            Assert.Equal(
                (expected, expected, expected, expected),
                (order.Total, order.Subtotal, order.Lines.Sum(line => line.Total), sales.Sum(sale => sale.Total)));
            Assert.Empty(CollectionCatalogue.Orders.Rules.Evaluate(order.ToBsonDocument()));
            Assert.All(sales, sale => Assert.Empty(CollectionCatalogue.SaleEvents.Rules.Evaluate(sale.ToBsonDocument())));

            // One decimal more, or another currency, is not sold.
            var finer = products[0] with { Price = products[0].Price + (unit / 10) };
            Assert.Equal([(finer.Id, currency)], OrderBook.FindWronglyPriced(tenant, [finer, .. products.Skip(1)])!.Products);
            var foreign = products[0] with { Currency = currency == "EUR" ? "USD" : "EUR", Price = 1m };
            Assert.Equal([(foreign.Id, foreign.Currency)], OrderBook.FindWronglyPriced(tenant, [foreign, .. products.Skip(1)])!.Products);
        }
    }

    private static Product Stored(ListedProduct product) => new()
    {
        Id = product.Id,
        TenantId = ApiFactory.Acme.Id,
        Sku = product.Sku,
        Name = product.Name,
        Description = "",
        CategoryId = product.CategoryId,
        Price = product.Price,
        Currency = product.Currency,
        Tags = product.Tags,
        Status = ProductStatus.Active,
        CreatedAt = product.CreatedAt,
        UpdatedAt = product.CreatedAt,
    };

    private static ListedProduct Product(decimal price, string currency) => new()
    {
        Id = ObjectId.GenerateNewId(),
        Sku = "A",
        Name = "Ant",
        CategoryId = ObjectId.GenerateNewId(),
        Price = price,
        Currency = currency,
        Tags = [],
        CreatedAt = DateTime.UnixEpoch,
    };
}
