using MongoDB.Bson;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using NSubstitute;
using Platform.Api.Orders;
using Platform.Api.Products;
using Platform.Data.Documents;
using Xunit;

namespace Platform.Tests.Unit.Api;

/// <summary>The API over a real server, without a database: whatever is sent, it answers in its own words.</summary>
public sealed class HttpFuzzTests(ITestOutputHelper output)
{
    private const int Seed = 2026;
    private const int Requests = 2_000;

    private static readonly FuzzShop Shop = new("acme", "65f000000000000000000002", "65f000000000000000000003", "65f000000000000000000004", "all");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_sent_the_answer_is_2xx_or_4xx_with_a_sentence_and_no_defect_is_logged()
    {
        var logs = new FakeLoggerProvider();
        using var api = new ApiOverHttp(NewFactory(logs));
        var fuzz = new HttpFuzz(api.Address, Shop, connections: 2);

        await fuzz.RunAsync(Seed, Requests, Cancellation);

        output.WriteLine(string.Join(Environment.NewLine, fuzz.Seen));
        Assert.True(fuzz.Findings.Count == 0, string.Join(Environment.NewLine, fuzz.Findings));
        Assert.DoesNotContain(logs.Collector.GetSnapshot(), record => record.Level >= LogLevel.Error);
        // Else it would have been looking the other way.
        string[] expected =
        [
            "GET /tenants 200", "GET /tenants 400", "GET /tenants 405", "GET /tenants/{tenant}/products 200", "GET /tenants/{tenant}/products 400",
            "GET /tenants/{tenant}/products 404",
            "GET /tenants/{tenant}/products/{product} 404", "GET /tenants/{tenant}/stores/near 200", "GET /tenants/{tenant}/reports/sales 200",
            "GET /tenants/{tenant}/reports/stock 400",
            "POST /tenants/{tenant}/orders 201", "POST /tenants/{tenant}/orders 400", "POST /tenants/{tenant}/orders 415", "GET /nowhere 404",
            "GET /openapi/v1.json 200", "GET /alive 200",
        ];
        Assert.Empty(expected.Except(fuzz.Seen.Keys));
    }

    private static ApiFactory NewFactory(FakeLoggerProvider logs)
    {
        var factory = new ApiFactory { Logs = logs };
        foreach (var (key, value) in NoRateLimits.Settings)
        {
            factory.Settings[key] = value;
        }

        factory.Tenants.ListAsync(Cancellation).ReturnsForAnyArgs([ApiFactory.Acme]);
        factory.Products.FindCategoriesAsync(default, null!, Cancellation).ReturnsForAnyArgs([ObjectId.GenerateNewId()]);
        factory.Products.ListAsync(default, null!, null, default, Cancellation).ReturnsForAnyArgs(
            new ProductSlice([], new BsonDocument { { "k", new BsonDateTime(5) }, { "i", ObjectId.GenerateNewId() } }));
        factory.Reports.SalesAsync(default, default, default, default, default, Cancellation).ReturnsForAnyArgs([]);
        factory.Reports.StockAsync(default, default, default, default, default, default, Cancellation).ReturnsForAnyArgs([]);
        factory.Orders.FindAsync(default, default, Cancellation).ReturnsForAnyArgs((Order?)null);
        factory.Orders.PlaceAsync(null!, null!, Cancellation).ReturnsForAnyArgs(call => new OrderOutcome.Placed(OrderOf(call.Arg<OrderDraft>())));
        return factory;
    }

    private static Order OrderOf(OrderDraft draft) => new()
    {
        Id = draft.Id,
        TenantId = ApiFactory.Acme.Id,
        Number = "ORD-1",
        CustomerId = draft.CustomerId,
        StoreId = draft.StoreId,
        Lines = [],
        Currency = "EUR",
        Subtotal = 0,
        Tax = 0,
        Total = 0,
        Status = OrderStatus.Pending,
        PlacedAt = DateTime.UnixEpoch,
        UpdatedAt = DateTime.UnixEpoch,
    };
}
