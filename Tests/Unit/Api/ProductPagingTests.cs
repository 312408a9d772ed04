using System.Net;
using System.Net.Http.Json;
using MongoDB.Bson;
using NSubstitute;
using Platform.Api.Contracts;
using Platform.Api.Products;
using Platform.Data.Search;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class ProductPagingTests : IDisposable
{
    private readonly ApiFactory _api = new();
    private readonly HttpClient _client;
    private readonly BsonDocument _position = new() { { "k", new BsonDateTime(5) }, { "i", ObjectId.GenerateNewId() } };

    public ProductPagingTests()
    {
        _client = _api.CreateClient();
        _api.Products.ListAsync(default, null!, null, default, Cancellation).ReturnsForAnyArgs(new ProductSlice([NewProduct()], _position));
        _api.Products.FindCategoriesAsync(default, null!, Cancellation).ReturnsForAnyArgs([ObjectId.GenerateNewId()]);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _api.Dispose();
    }

    [Fact]
    public async Task The_cursor_of_a_page_continues_after_its_last_product()
    {
        var page = await _client.GetFromJsonAsync<ProductPage>("/tenants/acme/products?search=lamp&limit=1", Cancellation);

        await _client.GetFromJsonAsync<ProductPage>($"/tenants/acme/products?search=lamp&limit=7&cursor={page!.NextCursor}", Cancellation);

        await _api.Products.Received(1).ListAsync(
            ApiFactory.Acme.Id, Arg.Is<ProductFilter>(filter => filter.Search!.Beginning == "lamp"), _position, 7, Arg.Any<CancellationToken>());
    }

    [Theory]
    [InlineData("/tenants/acme/products?search=chair")]
    [InlineData("/tenants/acme/products?search=lamp&minPrice=1")]
    [InlineData("/tenants/acme/products?search=lamp&category=home")]
    [InlineData("/tenants/acme/products?")]
    [InlineData("/tenants/globex/products?search=lamp")]
    public async Task A_cursor_does_not_fit_another_list(string other)
    {
        _api.Tenants.FindAsync("globex", Arg.Any<CancellationToken>()).Returns(ApiFactory.NewTenant("globex"));
        var page = await _client.GetFromJsonAsync<ProductPage>("/tenants/acme/products?search=lamp", Cancellation);

        var answer =
            await _client.GetAsync(new Uri($"{other}&cursor={page!.NextCursor}".Replace("?&", "?", StringComparison.Ordinal), UriKind.Relative), Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_forged_cursor_is_400_with_a_sentence()
    {
        var page = await _client.GetFromJsonAsync<ProductPage>("/tenants/acme/products", Cancellation);
        var random = new Random(3);
        for (var i = 0; i < 40; i++)
        {
            var cursor = page!.NextCursor!.ToCharArray();
            var at = random.Next(cursor.Length);
            cursor[at] = cursor[at] == 'Q' ? 'R' : 'Q';
            var forged = random.Next(2) == 0 ? new string(cursor) : Convert.ToHexString(Guid.NewGuid().ToByteArray());

            var answer = await _client.GetAsync(new Uri($"/tenants/acme/products?cursor={forged}", UriKind.Relative), Cancellation);

            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("Is not a cursor of this list.", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_last_page_has_no_cursor_and_a_page_has_20_products_unless_asked()
    {
        _api.Products.ListAsync(default, null!, null, default, Cancellation).ReturnsForAnyArgs(new ProductSlice([NewProduct()], null));

        var page = await _client.GetFromJsonAsync<ProductPage>("/tenants/acme/products", Cancellation);

        Assert.Null(page!.NextCursor);
        await _api.Products.Received().ListAsync(
            ApiFactory.Acme.Id, Arg.Any<ProductFilter>(), null, 20, Arg.Any<CancellationToken>());
    }

    [Theory]
    [InlineData(null, null, ProductOrder.Newest)]
    [InlineData(null, 5, ProductOrder.Cheapest)]
    [InlineData("lamp", 5, ProductOrder.BestMatch)]
    public void The_filter_decides_the_order(string? search, int? price, ProductOrder expected) =>
        Assert.Equal(expected, new ProductFilter(search is null ? null : SearchQuery.Parse(search), null, price, null).Order);

    [Fact]
    public void A_position_in_a_list_of_before_is_none_in_a_search()
    {
        var catalogue = new ProductCatalogue(null!, null!);
        var id = ObjectId.GenerateNewId();
        Assert.True(catalogue.IsPosition(ProductOrder.BestMatch, new BsonDocument { { "k", 30.0 }, { "i", id } }));
        // A score of the engine's own.
        Assert.False(catalogue.IsPosition(ProductOrder.BestMatch, new BsonDocument { { "k", 30 }, { "i", id } }));
        Assert.False(catalogue.IsPosition(ProductOrder.BestMatch, new BsonDocument { { "k", new BsonDateTime(5) }, { "i", id } }));
    }

    [Theory]
    [InlineData("XK-2000%20dri", "xk,2000", "dri", "")]
    [InlineData("Caf%C3%A9%20-Cafe%CC%81", "", "cafe", "cafe")]
    [InlineData("%F0%9F%98%80%20I%C5%9EIK", "", "isik", "")]
    public async Task A_search_is_asked_in_the_words_that_are_kept_with_products(string search, string words, string beginning, string without)
    {
        await _client.GetFromJsonAsync<ProductPage>($"/tenants/acme/products?search={search}", Cancellation);

        await _api.Products.Received(1).ListAsync(
            ApiFactory.Acme.Id,
            Arg.Is<ProductFilter>(filter => string.Join(',', filter.Search!.Words) == words
                && filter.Search.Beginning == beginning
                && string.Join(',', filter.Search.Without) == without),
            null, 20, Arg.Any<CancellationToken>());
    }

    private static ListedProduct NewProduct() => new()
    {
        Id = ObjectId.GenerateNewId(),
        Sku = "L-1",
        Name = "Lamp",
        CategoryId = ObjectId.GenerateNewId(),
        Price = 12.50m,
        Currency = "EUR",
        Tags = [],
        CreatedAt = DateTime.UnixEpoch,
    };
}
