using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using MongoDB.Bson;
using Platform.Api.Caching;
using Platform.Api.Callers;
using Platform.Api.Contracts;
using Platform.Api.OpenApi;
using Platform.Api.Paging;
using Platform.Api.Problems;
using Platform.Api.Products;
using Platform.Api.Tenants;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Caching.Entries;
using Platform.Data.Rules;
using Platform.Data.Search;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants/{tenant}/products</c>.</summary>
internal static class ProductEndpoints
{
    private const int MaxLimit = 100;

    public static void MapProducts(this IEndpointRouteBuilder tenant)
    {
        var group = tenant.MapGroup("/products").WithTags("Products").For(Roles.Reader, Roles.Orders, Roles.Admin);

        group.MapGet("/", ListAsync)
            .WithName("ListProducts")
            .WithSummary("Lists or searches the products on sale, page by page.")
            .WithDescription(
                "The best match comes first when words are searched, the cheapest when a price is given, else the "
                + "newest. nextCursor of one page asks for the next; the other parameters must stay the same.")
            .WithMetadata(
                ParameterSchema.Amount("minPrice"),
                ParameterSchema.Amount("maxPrice"),
                ParameterSchema.Whole("limit", 1, MaxLimit, ProductPages.DefaultLimit));
        group.MapGet("/{id}", GetAsync)
            .WithName("GetProduct")
            .WithSummary("Returns a product on sale with its stock.")
            .WithDescription(
                "The header X-Cache says where the answer came from: hit, miss, or stale when the database failed; ETag names it for If-None-Match.")
            .WithMetadata(ParameterSchema.Id("id"));
    }

    private static async Task<Results<CachedOk<ProductPage>, Ok<ProductPage>, ProblemHttpResult>> ListAsync(
        [AsParameters] TenantOfPath owner,
        [Description("Words to find in names, SKUs, tags and descriptions: all of them, the last may be the "
            + "beginning of one; what has a -word is left out.")] string? search,
        [Description("The slug or id of a category; those below it are included.")] string? category,
        [Description("The least price.")] string? minPrice,
        [Description("The greatest price.")] string? maxPrice,
        [Description("nextCursor of the page before.")] string? cursor,
        [Description("How many products a page has at most.")] string? limit,
        IProductCatalogue products,
        PageCursors cursors,
        ProductPages pages,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var (words, query) = Search(errors, search);
        var inCategory = errors.Text("category", category, maxLength: 100);
        var min = errors.Amount("minPrice", minPrice);
        var max = errors.Amount("maxPrice", maxPrice);
        var count = errors.Whole("limit", limit, 1, MaxLimit, ProductPages.DefaultLimit);
        if (min > max)
        {
            errors.Parameter("minPrice", ErrorCodes.Contradiction, "Must not be above maxPrice.");
        }

        var tenant = owner.Tenant;
        var filter = new ProductFilter(query, null, min, max);
        var list = ProductPages.ListOf(tenant, words, inCategory, filter);
        var after = cursor is null ? null : cursors.Decode(list, cursor);
        if (cursor is not null && (after is null || !products.IsPosition(filter.Order, after)))
        {
            errors.Parameter("cursor", ErrorCodes.Cursor, "Is not a cursor of this list.");
        }

        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        if (inCategory is not null)
        {
            var categories = await pages.CategoriesAsync(tenant.Id, inCategory, cancellationToken);
            if (categories.Count == 0)
            {
                return ApiProblem.NotFound("category", "The tenant has no category of this name.");
            }

            filter = filter with { Categories = categories };
        }

        return after is null
            ? new CachedOk<ProductPage>(
                await pages.FirstAsync(tenant, inCategory, list, filter, count, cancellationToken), CacheCatalogue.ProductLists)
            : TypedResults.Ok(await pages.ReadAsync(tenant.Id, list, filter, after, count, cancellationToken));
    }

    private static async Task<Results<CachedOk<ProductDetails>, ProblemHttpResult>> GetAsync(
        [AsParameters] TenantOfPath owner,
        [Description("The product's id.")] string id,
        IProductCatalogue products,
        DataCaches caches,
        HttpResponse response,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var productId = errors.Id("id", id);
        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        var key = CacheKeys.Product(owner.Id.ToString(), productId.ToString());
        var cache = caches[CacheCatalogue.Products];
        if (!cache.TryGet(key, out var answer))
        {
            answer = await ReadAsync(cache, key, owner.Id, productId, products, cancellationToken);
        }

        if (answer.Entry.Exists)
        {
            return new CachedOk<ProductDetails>(answer, CacheCatalogue.Products);
        }

        response.Headers[CachedOk<ProductDetails>.OutcomeHeader] = answer.Outcome.Word();
        return ApiProblem.NotFound("id", "The tenant has no product of this id on sale.");
    }

    // By itself, so that a product that is in memory costs nothing of it.
    private static ValueTask<CacheAnswer> ReadAsync(
        DataCache cache, CacheKey key, ObjectId tenant, ObjectId product, IProductCatalogue products, CancellationToken cancellationToken) =>
        cache.GetAsync(key, async token => CachedJson.Of(await products.FindAsync(tenant, product, token)), cancellationToken);

    // The words as they were sent, and as they are searched.
    private static (string? Words, SearchQuery? Query) Search(RequestErrors errors, string? search)
    {
        var words = errors.Text("search", search, maxLength: 200);
        var query = words is null ? null : SearchQuery.Parse(words);
        if (words is not null && query is null)
        {
            errors.Parameter(
                "search", ErrorCodes.Characters, "Must have a word: letters or digits, without a hyphen in front.");
        }
        else if (query?.Count > SearchQuery.MaxWords)
        {
            errors.Parameter("search", RuleCodes.MaxItems, $"Must have at most {SearchQuery.MaxWords} words.");
        }

        return (words, query);
    }
}
