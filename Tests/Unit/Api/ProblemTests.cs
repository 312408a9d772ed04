using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Platform.Api.Contracts;
using Platform.Api.Orders;
using Platform.Data.Documents;
using Platform.Data.Rules;
using Platform.Data.Validation;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class ProblemTests : IDisposable
{
    private const string Id = "65f000000000000000000001";

    private readonly ApiFactory _api = new();
    private readonly HttpClient _client;

    public ProblemTests() => _client = _api.CreateClient();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _api.Dispose();
    }

    [Theory]
    [InlineData("/tenants/acme/products?limit=0", "limit")]
    [InlineData("/tenants/acme/products?limit=101", "limit")]
    [InlineData("/tenants/acme/products?limit=ten", "limit")]
    [InlineData("/tenants/acme/products?limit=", "limit")]
    [InlineData("/tenants/acme/products?limit=1&limit=2", "limit")]
    [InlineData("/tenants/acme/products?minPrice=-1", "minPrice")]
    [InlineData("/tenants/acme/products?maxPrice=1e3", "maxPrice")]
    [InlineData("/tenants/acme/products?minPrice=2&maxPrice=1", "minPrice")]
    [InlineData("/tenants/acme/products?minPrice=NaN&maxPrice=x&limit=x&cursor=x&search=%20&category=", "category,cursor,limit,maxPrice,minPrice,search")]
    [InlineData("/tenants/acme/products?search=a%00b", "search")]
    [InlineData("/tenants/acme/products?search=----------------------------------------", "search")]
    [InlineData("/tenants/acme/products?search=-tent%20%F0%9F%98%80", "search")]
    [InlineData("/tenants/acme/products?search=1+2+3+4+5+6+7+8+9+10+11+12+13+14+15+16+17+18+19+20+21", "search")]
    [InlineData("/tenants/acme/products?cursor=abc", "cursor")]
    [InlineData("/tenants/acme/products/42", "id")]
    [InlineData("/tenants/acme/orders/not-an-id", "id")]
    [InlineData("/tenants/acme/stores/near", "lat,lon")]
    [InlineData("/tenants/acme/stores/near?lon=181&lat=-91&km=-1", "km,lat,lon")]
    [InlineData("/tenants/acme/stores/near?lon=NaN&lat=Infinity", "lat,lon")]
    [InlineData("/tenants/acme/reports/sales?from=yesterday&to=2026-02-30&product=x&store=", "from,product,store,to")]
    [InlineData("/tenants/acme/reports/sales?from=2026-01-02&to=2026-01-01", "from")]
    [InlineData("/tenants/acme/reports/sales?from=2025-01-01&to=2026-01-02", "from")]
    [InlineData("/tenants/acme/reports/sales?product=65f000000000000000000001&store=65f000000000000000000001", "store")]
    [InlineData("/tenants/acme/reports/stock?limit=1001", "limit,product,store")]
    public async Task A_malformed_request_is_400_and_names_every_wrong_field(string path, string fields)
    {
        var answer = await _client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);

        await AssertProblemAsync(answer, HttpStatusCode.BadRequest, fields.Split(','));
    }

    [Theory]
    [InlineData(200, HttpStatusCode.OK)]
    [InlineData(201, HttpStatusCode.BadRequest)]
    public async Task The_length_of_a_text_is_counted_in_characters_as_in_documents(int characters, HttpStatusCode expected)
    {
        _api.Products.ListAsync(default, null!, null, default, Cancellation).ReturnsForAnyArgs(new Platform.Api.Products.ProductSlice([], null));
        foreach (var character in new[] { "a", "é", "汉", "𝒜" })
        {
            var search = string.Concat(Enumerable.Repeat(character, characters));
            // Each Chinese character is a word, and these are one.
            var answer = await _client.GetAsync(new Uri($"/tenants/acme/products?search={Uri.EscapeDataString(search)}", UriKind.Relative), Cancellation);

            Assert.Equal((character, expected), (character, answer.StatusCode));
        }
    }

    [Fact]
    public async Task Every_resource_of_an_unknown_tenant_is_404_whatever_else_is_wrong_with_the_request()
    {
        var routes = _api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/tenants/{tenant}", StringComparison.Ordinal))
            .Select(endpoint => (Path: endpoint.RoutePattern.RawText!, Method: endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0]))
            .ToList();

        Assert.Equal(7, routes.Count);
        foreach (var (path, method) in routes)
        {
            using var request = new HttpRequestMessage(
                new HttpMethod(method),
                path.Replace("{tenant}", "nobody", StringComparison.Ordinal).Replace("{id}", "x", StringComparison.Ordinal) + "?limit=x");
            await AssertProblemAsync(await _client.SendAsync(request, Cancellation), HttpStatusCode.NotFound, ["tenant"]);
        }
    }

    [Theory]
    [InlineData("/tenants/acme/products/" + Id, "id")]
    [InlineData("/tenants/acme/orders/" + Id, "id")]
    [InlineData("/tenants/acme/products?category=nowhere", "category")]
    public async Task An_unknown_id_is_404(string path, string field)
    {
        _api.Products.FindCategoriesAsync(default, null!, Cancellation).ReturnsForAnyArgs([]);

        await AssertProblemAsync(await _client.GetAsync(new Uri(path, UriKind.Relative), Cancellation), HttpStatusCode.NotFound, [field]);
    }

    [Theory]
    [InlineData("""{}""", "/customerId,/lines,/storeId")]
    [InlineData("""[]""", "")]
    [InlineData("""{"customerId":""", "")]
    [InlineData("", "")]
    [InlineData("""{"lines":[],"lines":[]}""", "/lines")]
    [InlineData("""{"customerId":1,"storeId":null,"lines":[]}""", "/customerId,/lines,/storeId")]
    [InlineData("""{"customerId":"ID","storeId":"ID","lines":[7,{"productId":"x","quantity":1},{"productId":"ID","quantity":0}]}""", "/lines/0,/lines/1/productId,/lines/2/quantity")]
    [InlineData("""{"customerId":"ID","storeId":"ID","lines":[{"productId":"ID","quantity":1.5},{"productId":"ID","quantity":"2"}]}""", "/lines/0/quantity,/lines/1/productId,/lines/1/quantity")]
    [InlineData("""{"customerId":"ID","storeId":"ID","lines":[{"productId":"ID","quantity":99999999999}]}""", "/lines/0/quantity")]
    public async Task A_malformed_order_is_400_and_names_every_wrong_field(string body, string fields)
    {
        var answer = await PostAsync(body.Replace("ID", Id, StringComparison.Ordinal));

        await AssertProblemAsync(answer, HttpStatusCode.BadRequest, fields.Split(','));
        await _api.Orders.DidNotReceiveWithAnyArgs().PlaceAsync(null!, null!, Cancellation);
    }

    [Fact]
    public async Task An_order_with_too_many_lines_is_400()
    {
        var lines = Enumerable.Range(0, DocumentRules.Of((Order order) => order.Lines).MaxItems!.Value + 1)
            .Select(_ => new OrderRequestLine(ObjectId.GenerateNewId().ToString(), 1)).ToList();

        var answer = await _client.PostAsJsonAsync("/tenants/acme/orders", new OrderRequest(Id, Id, lines), Cancellation);

        await AssertProblemAsync(answer, HttpStatusCode.BadRequest, ["/lines"]);
    }

    [Fact]
    public async Task An_order_for_unknown_things_is_404_and_names_them_all()
    {
        var known = ObjectId.GenerateNewId();
        var unknown = ObjectId.GenerateNewId();
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(new OrderOutcome.Unknown(true, true, [unknown]));

        var answer = await PostAsync(OrderOf((known, 1), (unknown, 1)));

        await AssertProblemAsync(answer, HttpStatusCode.NotFound, ["/customerId", "/lines/1/productId", "/storeId"]);
    }

    [Fact]
    public async Task An_order_that_the_stock_does_not_cover_is_409_and_names_the_short_lines()
    {
        var enough = ObjectId.GenerateNewId();
        var scarce = ObjectId.GenerateNewId();
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(
            new OrderOutcome.OutOfStock([new ShortLine(scarce.ToString(), 5, 2)]));

        var answer = await PostAsync(OrderOf((enough, 1), (scarce, 5)));

        var problem = await AssertProblemAsync(answer, HttpStatusCode.Conflict, ["/lines/1/quantity"]);
        var line = Assert.Single(problem.GetProperty("short").EnumerateArray());
        Assert.Equal(scarce.ToString(), line.GetProperty("productId").GetString());
        Assert.Equal(5, line.GetProperty("requested").GetInt32());
        Assert.Equal(2, line.GetProperty("available").GetInt32());
    }

    [Fact]
    public async Task The_limits_of_a_request_are_those_of_the_document()
    {
        var answer = await PostAsync($$"""{"customerId":"{{Id}}","storeId":7,"lines":[{"productId":"{{Id}}","quantity":10001},{"productId":"{{Id}}"}]}""");

        var problem = await AssertProblemAsync(answer, HttpStatusCode.BadRequest, ["/lines/0/quantity", "/lines/1/productId", "/lines/1/quantity", "/storeId"]);
        Assert.Equal(
            [
                ("maximum", "Must be from 1 to 10000."),
                ("productOnce", "Is on an earlier line already."),
                ("required", "Is required."),
                ("type", "Must be an id: 24 hexadecimal digits."),
            ],
            problem.GetProperty("errors").EnumerateArray().Select(error => (error.GetProperty("code").GetString()!, error.GetProperty("detail").GetString()!)));
    }

    [Fact]
    public async Task Data_that_the_database_refuses_is_422_in_the_same_form_as_a_wrong_request()
    {
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ThrowsAsyncForAnyArgs(new DocumentRefusedException(
            "orders", [new RuleViolation("/lines/0/total", "maximum", "Must be from 0 to 1000000000000.")], new InvalidOperationException("121")));

        var problem = await AssertProblemAsync(await PostAsync(OrderOf((ObjectId.GenerateNewId(), 1))), HttpStatusCode.UnprocessableEntity, ["/lines/0/total"]);

        Assert.Equal("maximum", problem.GetProperty("errors")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_key_that_is_taken_is_409_with_the_key()
    {
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ThrowsAsyncForAnyArgs(new DuplicateKeyException(
            "orders", "tenant_number", new Dictionary<string, BsonValue?> { ["number"] = "ORD-1" }, new InvalidOperationException("11000")));

        var problem = await AssertProblemAsync(await PostAsync(OrderOf((ObjectId.GenerateNewId(), 1))), HttpStatusCode.Conflict, ["/number"]);

        Assert.Equal("duplicate", problem.GetProperty("errors")[0].GetProperty("code").GetString());
        Assert.Equal("ORD-1", problem.GetProperty("key").GetProperty("number").GetString());
    }

    [Fact]
    public async Task A_closed_store_is_409()
    {
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(new OrderOutcome.StoreClosed());

        await AssertProblemAsync(await PostAsync(OrderOf((ObjectId.GenerateNewId(), 1))), HttpStatusCode.Conflict, ["/storeId"]);
    }

    [Fact]
    public async Task A_price_that_is_no_amount_of_the_tenants_currency_is_409_and_says_why()
    {
        var (foreign, fine) = (ObjectId.GenerateNewId(), ObjectId.GenerateNewId());
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(new OrderOutcome.WronglyPriced([(foreign, "JPY"), (fine, "EUR")]));

        var problem = await AssertProblemAsync(
            await PostAsync(OrderOf((foreign, 1), (fine, 1))), HttpStatusCode.Conflict, ["/lines/0/productId", "/lines/1/productId"]);

        Assert.Equal(
            [("currency", "Its price is in JPY, and the tenant sells in EUR."), ("amount", "Its price has more decimals than EUR has.")],
            problem.GetProperty("errors").EnumerateArray().Select(error => (error.GetProperty("code").GetString()!, error.GetProperty("detail").GetString()!)));
    }

    [Fact]
    public async Task An_idempotency_key_of_another_order_is_422()
    {
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(new OrderOutcome.KeyReused());

        var answer = await PostAsync(OrderOf((ObjectId.GenerateNewId(), 1)), key: "k1");

        await AssertProblemAsync(answer, HttpStatusCode.UnprocessableEntity, ["Idempotency-Key"]);
    }

    [Fact]
    public async Task A_body_that_is_not_JSON_by_its_type_is_415()
    {
        using var content = new StringContent("customerId=1", Encoding.UTF8, "application/x-www-form-urlencoded");

        var answer = await _client.PostAsync(new Uri("/tenants/acme/orders", UriKind.Relative), content, Cancellation);

        await AssertProblemAsync(answer, HttpStatusCode.UnsupportedMediaType, []);
    }

    [Fact]
    public async Task A_path_that_does_not_exist_is_404_as_a_problem() =>
        await AssertProblemAsync(await _client.GetAsync(new Uri("/nowhere", UriKind.Relative), Cancellation), HttpStatusCode.NotFound, []);

    [Fact]
    public async Task A_method_that_does_not_exist_is_405_as_a_problem() =>
        await AssertProblemAsync(await _client.DeleteAsync(new Uri("/tenants", UriKind.Relative), Cancellation), HttpStatusCode.MethodNotAllowed, []);

    [Fact]
    public async Task A_database_that_is_away_is_503_with_retry_after()
    {
        var server = new ServerId(new ClusterId(), new DnsEndPoint("shard7", 27017));
        foreach (var exception in new Exception[]
        {
            new TimeoutException("A timeout occurred after 3000ms selecting a server on shard7."),
            new MongoConnectionException(new ConnectionId(server), "shard7 hung up."),
            new MongoCommandException(new ConnectionId(server), "not primary", [], new BsonDocument("code", 10107)),
        })
        {
            _api.Tenants.ListAsync(Cancellation).ThrowsAsyncForAnyArgs(exception);

            var answer = await _client.GetAsync(new Uri("/tenants", UriKind.Relative), Cancellation);

            Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
            var problem = await AssertProblemAsync(answer, HttpStatusCode.ServiceUnavailable, []);
            Assert.DoesNotContain("shard7", problem.GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_defect_is_500_and_tells_the_caller_nothing()
    {
        _api.Tenants.ListAsync(Cancellation).ThrowsAsyncForAnyArgs(new InvalidOperationException("secret"));

        var answer = await _client.GetAsync(new Uri("/tenants", UriKind.Relative), Cancellation);

        var problem = await AssertProblemAsync(answer, HttpStatusCode.InternalServerError, []);
        Assert.DoesNotContain("secret", problem.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_path_decides_the_tenant_that_is_asked()
    {
        var globex = ApiFactory.NewTenant("globex");
        _api.Tenants.FindAsync("globex", Arg.Any<CancellationToken>()).Returns(globex);

        await _client.GetAsync(new Uri($"/tenants/globex/orders/{Id}", UriKind.Relative), Cancellation);
        await _client.GetAsync(new Uri("/tenants/globex/products?limit=3", UriKind.Relative), Cancellation);

        await _api.Orders.Received().FindAsync(globex.Id, ObjectId.Parse(Id), Arg.Any<CancellationToken>());
        await _api.Products.Received().ListAsync(globex.Id, Arg.Any<Platform.Api.Products.ProductFilter>(), null, 3, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_placed_order_is_201_with_its_place_and_camelCase_numbers()
    {
        var product = ObjectId.GenerateNewId();
        _api.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(call =>
        {
            var draft = call.Arg<OrderDraft>();
            return new OrderOutcome.Placed(new Order
            {
                Id = draft.Id,
                TenantId = ApiFactory.Acme.Id,
                Number = "ORD-1",
                CustomerId = draft.CustomerId,
                StoreId = draft.StoreId,
                Lines = [new OrderLine { ProductId = product, Sku = "A", Name = "Ant", Quantity = 2, UnitPrice = 1.25m, Total = 2.50m }],
                Currency = "EUR",
                Subtotal = 2.50m,
                Tax = 0,
                Total = 2.50m,
                Status = OrderStatus.Pending,
                PlacedAt = DateTime.UnixEpoch,
                UpdatedAt = DateTime.UnixEpoch,
            });
        });

        var answer = await PostAsync(OrderOf((product, 2)));

        var order = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal($"/tenants/acme/orders/{order.GetProperty("id").GetString()}", answer.Headers.Location?.OriginalString);
        Assert.Equal("2.50", order.GetProperty("total").GetRawText());
        Assert.Equal("pending", order.GetProperty("status").GetString());
        Assert.Equal("1970-01-01T00:00:00Z", order.GetProperty("placedAt").GetString());
    }

    [Fact]
    public async Task The_same_idempotency_key_stands_for_the_same_order_of_one_tenant_only()
    {
        var globex = ApiFactory.NewTenant("globex");
        _api.Tenants.FindAsync("globex", Arg.Any<CancellationToken>()).Returns(globex);
        List<OrderDraft> drafts = [];
        _api.Orders.PlaceAsync(null!, Arg.Do<OrderDraft>(drafts.Add), Cancellation).ReturnsForAnyArgs(new OrderOutcome.KeyReused());
        var body = OrderOf((ObjectId.GenerateNewId(), 1));

        await PostAsync(body, key: "k1");
        await PostAsync(body, key: "k1");
        await PostAsync(body, key: "k2");
        await PostAsync(body, key: "k1", tenant: "globex");
        await PostAsync(body);

        Assert.Equal(drafts[0].Id, drafts[1].Id);
        Assert.Equal(4, drafts.Select(draft => draft.Id).Distinct().Count());
        Assert.Equal([true, true, true, true, false], drafts.Select(draft => draft.MayExist));
    }

    private static string OrderOf(params (ObjectId Product, int Quantity)[] lines) => JsonSerializer.Serialize(
        new OrderRequest(Id, Id, [.. lines.Select(line => new OrderRequestLine(line.Product.ToString(), line.Quantity))]),
        JsonSerializerOptions.Web);

    private async Task<HttpResponseMessage> PostAsync(string body, string? key = null, string tenant = "acme")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/tenants/{tenant}/orders");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await _client.SendAsync(request, Cancellation);
    }

    private static async Task<JsonElement> AssertProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string[] fields)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        var named = problem.TryGetProperty("errors", out var errors)
            ? errors.EnumerateArray().Select(Place).ToList()
            : [];
        Assert.Equal(fields, named);
        return problem;
    }

    // Each entry names one place, in one way, and says what is wrong there to programs and to people.
    private static string Place(JsonElement error)
    {
        Assert.Matches("^[a-zA-Z]+$", error.GetProperty("code").GetString());
        Assert.Matches(@"^\p{Lu}.*\.$", error.GetProperty("detail").GetString());
        return Assert.Single(
            error.EnumerateObject(), member => member.Name is "pointer" or "parameter" or "header").Value.GetString()!;
    }
}
