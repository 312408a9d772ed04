using System.Net;
using Xunit;

namespace Platform.Tests.Graph;

[Collection(TestCollections.Cache)]
public sealed class CatalogTests(StackFixture stack)
{
    [Fact]
    public async Task Seeded_tenants_are_listed()
    {
        var tenants = await stack.Api.GetJsonAsync("/tenants");

        Assert.Equal(3, tenants.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_suspended_tenant_is_not_there_and_the_reports_of_the_others_are_not_empty()
    {
        using var suspended = await stack.Api.GetAsync("/tenants/dahlia-living/products", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, suspended.StatusCode);

        // The examples of the readme, which the seeder makes true.
        var sales = await stack.Api.GetJsonAsync("/tenants/aurora-outdoor/reports/sales");
        Assert.True(sales.GetProperty("days").GetArrayLength() >= 25, sales.GetRawText());
        Assert.Equal("S0000001".Length, (await stack.Api.GetJsonAsync("/tenants/aurora-outdoor/orders/5eedc0de0800000000000000")).Text("number").Length);
        var near = await stack.Api.GetJsonAsync("/tenants/aurora-outdoor/stores/near?lon=13.4&lat=52.5");
        Assert.Equal(1, near.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_product_comes_from_the_database_first_and_then_from_the_cache()
    {
        var path = await ProductPathAsync(position: 7);

        using var first = await stack.Api.GetAsync(path, TestContext.Current.CancellationToken);
        using var second = await stack.Api.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal("miss", Assert.Single(first.Headers.GetValues("X-Cache")));
        Assert.Equal("hit", Assert.Single(second.Headers.GetValues("X-Cache")));
        Assert.Equal(
            (await first.ReadAsync(HttpStatusCode.OK)).GetRawText(),
            (await second.ReadAsync(HttpStatusCode.OK)).GetRawText());
    }

    [Fact]
    public async Task Search_finds_a_product_by_a_word_of_its_name()
    {
        var tenant = await TenantAsync(0);
        var product = (await stack.Api.GetJsonAsync($"/tenants/{tenant}/products?limit=1")).GetProperty("items")[0];
        var word = product.Text("name").Split(' ').MaxBy(part => part.Length)!;

        var found = await stack.Api.GetJsonAsync($"/tenants/{tenant}/products?search={Uri.EscapeDataString(word)}&limit=100");

        Assert.NotEqual(0, found.GetProperty("items").GetArrayLength());
        Assert.All(found.GetProperty("items").EnumerateArray(), item => Assert.NotEmpty(item.Text("name")));
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repetition()
    {
        var tenant = await TenantAsync(0);
        var all = new List<string>();
        string? cursor = null;
        do
        {
            var page = await stack.Api.GetJsonAsync($"/tenants/{tenant}/products?limit=90{(cursor is null ? "" : $"&cursor={cursor}")}");
            all.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.Text("id")));
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);

        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.InRange(all.Count, 91, 400);
    }

    [Fact]
    public async Task Prices_are_filtered_by_both_bounds()
    {
        var tenant = await TenantAsync(1);
        var page = await stack.Api.GetJsonAsync($"/tenants/{tenant}/products?minPrice=10&maxPrice=50&limit=100");

        var prices = page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("price").GetDecimal()).ToList();
        Assert.NotEmpty(prices);
        Assert.All(prices, price => Assert.InRange(price, 10m, 50m));
    }

    [Fact]
    public async Task Stores_near_a_point_come_nearest_first_and_within_the_distance()
    {
        var tenant = await TenantAsync(0);
        var everywhere = await stack.Api.GetJsonAsync($"/tenants/{tenant}/stores/near?lon=0&lat=0&km=20000");
        var some = everywhere.GetProperty("items")[0];
        var (lon, lat) = (some.GetProperty("lon").GetDouble(), some.GetProperty("lat").GetDouble());

        var near = await stack.Api.GetJsonAsync(FormattableString.Invariant($"/tenants/{tenant}/stores/near?lon={lon}&lat={lat}&km=20000"));

        var distances = near.GetProperty("items").EnumerateArray().Select(store => store.GetProperty("distanceKm").GetDouble()).ToList();
        // One of the tenant's four is closed.
        Assert.Equal(3, distances.Count);
        Assert.InRange(distances[0], 0, 0.1);
        Assert.Equal(distances.Order(), distances);
    }

    [Fact]
    public async Task A_tenant_does_not_see_the_product_of_another()
    {
        var other = await TenantAsync(1);
        var id = (await ProductPathAsync(position: 3)).Split('/')[^1];

        using var response = await stack.Api.GetAsync($"/tenants/{other}/products/{id}", TestContext.Current.CancellationToken);

        await response.ReadAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/tenants/nobody/products", HttpStatusCode.NotFound, "tenant")]
    [InlineData("/tenants/{0}/products/123", HttpStatusCode.BadRequest, "id")]
    [InlineData("/tenants/{0}/products/000000000000000000000000", HttpStatusCode.NotFound, "id")]
    [InlineData("/tenants/{0}/products?limit=many", HttpStatusCode.BadRequest, "limit")]
    [InlineData("/tenants/{0}/products?cursor=%21", HttpStatusCode.BadRequest, "cursor")]
    [InlineData("/tenants/{0}/products?minPrice=cheap", HttpStatusCode.BadRequest, "minPrice")]
    [InlineData("/tenants/{0}/stores/near?lon=200&lat=0&km=5", HttpStatusCode.BadRequest, "lon")]
    [InlineData("/tenants/{0}/orders/zzz", HttpStatusCode.BadRequest, "id")]
    public async Task What_is_wrong_is_named(string path, HttpStatusCode status, string field)
    {
        var tenant = await TenantAsync(0);

        using var response = await stack.Api.GetAsync(string.Format(null, path, tenant), TestContext.Current.CancellationToken);

        Assert.Contains(field, (await response.ReadAsync(status)).Fields());
    }

    [Fact]
    public async Task OpenApi_document_lists_every_route()
    {
        var document = await stack.Api.GetJsonAsync("/openapi/v1.json");

        Assert.Equal(
            ["/tenants", "/tenants/{tenant}/orders", "/tenants/{tenant}/orders/{id}", "/tenants/{tenant}/products",
             "/tenants/{tenant}/products/{id}", "/tenants/{tenant}/reports/sales", "/tenants/{tenant}/reports/stock", "/tenants/{tenant}/stores/near"],
            document.GetProperty("paths").EnumerateObject().Select(path => path.Name).Order(StringComparer.Ordinal));
    }

    private async Task<string> TenantAsync(int position)
        => (await stack.Api.GetJsonAsync("/tenants")).GetProperty("items")[position].Text("slug");

    private async Task<string> ProductPathAsync(int position)
    {
        var tenant = await TenantAsync(0);
        var page = await stack.Api.GetJsonAsync($"/tenants/{tenant}/products?limit=50");
        return $"/tenants/{tenant}/products/{page.GetProperty("items")[position].Text("id")}";
    }
}
