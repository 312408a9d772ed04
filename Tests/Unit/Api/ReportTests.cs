using System.Net;
using System.Net.Http.Json;
using MongoDB.Bson;
using NSubstitute;
using Platform.Api.Contracts;
using Platform.Data.Documents;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class ReportTests : IDisposable
{
    private static readonly ObjectId Product = ObjectId.GenerateNewId();
    private static readonly ObjectId Store = ObjectId.GenerateNewId();

    private readonly ApiFactory _api = new();
    private readonly HttpClient _client;

    public ReportTests() => _client = _api.CreateClient();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _api.Dispose();
    }

    [Fact]
    public async Task Sales_are_those_of_the_days_that_were_asked_for()
    {
        SalesOfDay[] days = [new(new DateOnly(2026, 1, 3), 2, 5, 12.5m, "EUR")];
        _api.Reports.SalesAsync(ApiFactory.Acme.Id, new DateOnly(2026, 1, 1), new DateOnly(2026, 1, 31), null, Store, Arg.Any<CancellationToken>())
            .Returns(days);

        var report = await GetAsync<SalesReport>($"sales?from=2026-01-01&to=2026-01-31&store={Store}");

        Assert.Equal((new DateOnly(2026, 1, 1), new DateOnly(2026, 1, 31)), (report.From, report.To));
        Assert.Equal(days, report.Days);
    }

    [Fact]
    public async Task A_report_is_on_the_30_days_that_end_with_the_last()
    {
        _api.Reports.SalesAsync(default, default, default, null, null, Cancellation).ReturnsForAnyArgs([]);

        var report = await GetAsync<SalesReport>("sales?to=2026-03-30");

        Assert.Equal(new DateOnly(2026, 3, 1), report.From);
        Assert.InRange(DateOnly.FromDateTime(DateTime.UtcNow).DayNumber - (await GetAsync<SalesReport>("sales")).To.DayNumber, 0, 1);
    }

    [Fact]
    public async Task Stock_changes_are_cut_at_the_limit_and_the_answer_says_so()
    {
        var changes = Enumerable.Range(0, 3).Select(number => new InventoryEvent
        {
            Id = ObjectId.GenerateNewId(), TenantId = ApiFactory.Acme.Id, At = new DateTime(2026, 1, 3 - number, 0, 0, 0, DateTimeKind.Utc),
            StoreId = Store, ProductId = Product, Kind = InventoryEventKind.Sold, Change = -1, OnHand = 7 + number,
        }).ToList();
        _api.Reports.StockAsync(ApiFactory.Acme.Id, new DateOnly(2026, 1, 1), new DateOnly(2026, 1, 3), Product, Store, 3, Arg.Any<CancellationToken>())
            .Returns(changes);

        var report = await GetAsync<StockReport>($"stock?from=2026-01-01&to=2026-01-03&product={Product}&store={Store}&limit=2");

        Assert.True(report.More);
        Assert.Equal([("sold", -1, 7), ("sold", -1, 8)], report.Changes.Select(change => (change.Kind, change.Change, change.OnHand)));
    }

    [Fact]
    public async Task An_unknown_tenant_has_no_reports() =>
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(new Uri("/tenants/nobody/reports/sales", UriKind.Relative), Cancellation)).StatusCode);

    private async Task<TReport> GetAsync<TReport>(string path) =>
        await _client.GetFromJsonAsync<TReport>(new Uri($"/tenants/acme/reports/{path}", UriKind.Relative), Cancellation)
            ?? throw new InvalidOperationException("The answer is empty.");
}
