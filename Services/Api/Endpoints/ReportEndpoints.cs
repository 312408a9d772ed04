using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using MongoDB.Bson;
using Platform.Api.Caching;
using Platform.Api.Callers;
using Platform.Api.Contracts;
using Platform.Api.OpenApi;
using Platform.Api.Problems;
using Platform.Api.Reports;
using Platform.Api.Tenants;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Documents;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants/{tenant}/reports</c>.</summary>
internal static class ReportEndpoints
{
    private const int MaxDays = 366;
    private const int DefaultDays = 30;
    private const int MaxLimit = 1000;
    private const int DefaultLimit = 100;

    public static void MapReports(this IEndpointRouteBuilder tenant)
    {
        var group = tenant.MapGroup("/reports").WithTags("Reports").For(Roles.Reader, Roles.Admin);

        group.MapGet("/sales", SalesAsync)
            .WithName("ReportSales")
            .WithSummary("Adds up the sales of each day of a period; days without sales are left out.")
            .WithMetadata(
                ParameterSchema.Day("from"), ParameterSchema.Day("to"), ParameterSchema.Id("product", required: false),
                ParameterSchema.Id("store", required: false));
        group.MapGet("/stock", StockAsync)
            .WithName("ReportStock")
            .WithSummary("Lists how the stock of a product in a store changed in a period, the latest change first.")
            .WithMetadata(
                ParameterSchema.Id("product"), ParameterSchema.Id("store"), ParameterSchema.Day("from"),
                ParameterSchema.Day("to"),
                ParameterSchema.Whole("limit", 1, MaxLimit, DefaultLimit));
    }

    private static async Task<Results<CachedOk<SalesReport>, ProblemHttpResult>> SalesAsync(
        [AsParameters] TenantOfPath owner,
        [Description("The first day (UTC); 29 days before the last unless given.")] string? from,
        [Description("The last day (UTC); today unless given.")] string? to,
        [Description("Only this product; not together with a store.")] string? product,
        [Description("Only this store; not together with a product.")] string? store,
        IReports reports,
        DataCaches caches,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var (first, last) = Period(errors, from, to, time);
        ObjectId? productId = product is null ? null : errors.Id("product", product);
        ObjectId? storeId = store is null ? null : errors.Id("store", store);
        if (productId is not null && storeId is not null)
        {
            // An index for both would cost every sale.
            errors.Parameter("store", ErrorCodes.Contradiction, "Must not be sent together with product.");
        }

        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        var tenant = owner.Id;
        var key = CacheKeys.Report(
            tenant.ToString(), storeId?.ToString(), string.Create(CultureInfo.InvariantCulture, $"sales,{first:yyyyMMdd},{last:yyyyMMdd},{productId}"));
        return new CachedOk<SalesReport>(
            await caches[CacheCatalogue.Reports].GetAsync(
                key,
                async token => CachedJson.Of(new SalesReport(first, last, await reports.SalesAsync(tenant, first, last, productId, storeId, token))),
                cancellationToken),
            CacheCatalogue.Reports);
    }

    private static async Task<Results<CachedOk<StockReport>, ProblemHttpResult>> StockAsync(
        [AsParameters] TenantOfPath owner,
        [Description("The product's id.")] string? product,
        [Description("The store's id.")] string? store,
        [Description("The first day (UTC); 29 days before the last unless given.")] string? from,
        [Description("The last day (UTC); today unless given.")] string? to,
        [Description("How many changes are returned at most.")] string? limit,
        IReports reports,
        DataCaches caches,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var (first, last) = Period(errors, from, to, time);
        var productId = errors.Id("product", product);
        var storeId = errors.Id("store", store);
        var count = errors.Whole("limit", limit, 1, MaxLimit, DefaultLimit);
        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        var tenant = owner.Id;
        var key = CacheKeys.Report(
            tenant.ToString(),
            storeId.ToString(),
            string.Create(CultureInfo.InvariantCulture, $"stock,{first:yyyyMMdd},{last:yyyyMMdd},{productId},{count}"));
        return new CachedOk<StockReport>(
            await caches[CacheCatalogue.Reports].GetAsync(key, async token => CachedJson.Of(await StockReportAsync(token)), cancellationToken),
            CacheCatalogue.Reports);

        async Task<StockReport> StockReportAsync(CancellationToken token)
        {
            // One more than asked for says whether there are more.
            var changes = await reports.StockAsync(tenant, first, last, productId, storeId, count + 1, token);
            return new StockReport(
                first,
                last,
                [.. changes.Take(count).Select(change => new StockChange(
                    change.At, DocumentConventions.Stored(change.Kind), change.Change, change.OnHand))],
                changes.Count > count);
        }
    }

    private static (DateOnly First, DateOnly Last) Period(
        RequestErrors errors, string? from, string? to, TimeProvider time)
    {
        var last = errors.Day("to", to, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
        var first = errors.Day(
            "from", from, last.DayNumber < DefaultDays ? DateOnly.MinValue : last.AddDays(1 - DefaultDays));
        if (first > last)
        {
            errors.Parameter("from", ErrorCodes.Contradiction, "Must not be after to.");
        }
        else if (last.DayNumber - first.DayNumber >= MaxDays)
        {
            errors.Parameter("from", ErrorCodes.Contradiction, $"Must be less than {MaxDays} days before to.");
        }

        return (first, last);
    }
}
