using System.ComponentModel;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Platform.Api.Caching;
using Platform.Api.Contracts;
using Platform.Api.OpenApi;
using Platform.Api.Paging;
using Platform.Api.Problems;
using Platform.Api.Products;
using Platform.Api.Tenants;
using Platform.Data.Rules;
using Platform.Data.Search;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants/{tenant}/products</c>.</summary>
internal static class ProductEndpoints
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static void MapProducts(this IEndpointRouteBuilder tenant)
    {
        var group = tenant.MapGroup("/products").WithTags("Products");

        group.MapGet("/", ListAsync)
            .WithName("ListProducts")
            .WithSummary("Lists or searches the products on sale, page by page.")
            .WithDescription(
                "The best match comes first when words are searched, the cheapest when a price is given, else the "
                + "newest. nextCursor of one page asks for the next; the other parameters must stay the same.")
            .WithMetadata(
                ParameterSchema.Amount("minPrice"),
                ParameterSchema.Amount("maxPrice"),
                ParameterSchema.Whole("limit", 1, MaxLimit, DefaultLimit));
        group.MapGet("/{id}", GetAsync)
            .WithName("GetProduct")
            .WithSummary("Returns a product on sale with its stock.")
            .WithDescription("The header X-Cache says whether the answer came from the cache: hit or miss.")
            .WithMetadata(ParameterSchema.Id("id"));
    }

    private static async Task<Results<Ok<ProductPage>, ProblemHttpResult>> ListAsync(
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
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var (words, query) = Search(errors, search);
        var inCategory = errors.Text("category", category, maxLength: 100);
        var min = errors.Amount("minPrice", minPrice);
        var max = errors.Amount("maxPrice", maxPrice);
        var count = errors.Whole("limit", limit, 1, MaxLimit, DefaultLimit);
        if (min > max)
        {
            errors.Parameter("minPrice", ErrorCodes.Contradiction, "Must not be above maxPrice.");
        }

        // The rest of the request identifies the list that a cursor belongs to.
        var list = JsonSerializer.Serialize<object?[]>(["products", owner.Slug, words, inCategory, min, max]);
        var filter = new ProductFilter(query, null, min, max);
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
            var categories = await products.FindCategoriesAsync(owner.Id, inCategory, cancellationToken);
            if (categories.Count == 0)
            {
                return ApiProblem.NotFound("category", "The tenant has no category of this name.");
            }

            filter = filter with { Categories = categories };
        }

        var slice = await products.ListAsync(owner.Id, filter, after, count, cancellationToken);
        return TypedResults.Ok(new ProductPage(
            [.. slice.Products.Select(Summary)], slice.Next is null ? null : cursors.Encode(list, slice.Next)));
    }

    private static async Task<Results<JsonOk<ProductDetails>, ProblemHttpResult>> GetAsync(
        [AsParameters] TenantOfPath owner,
        [Description("The product's id.")] string id,
        IProductCatalogue products,
        ProductCache cache,
        HttpResponse response,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var productId = errors.Id("id", id);
        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        var (product, hit) = await cache.GetAsync(
            owner.Id, productId, token => products.FindAsync(owner.Id, productId, token), cancellationToken);
        response.Headers["X-Cache"] = hit ? "hit" : "miss";
        return product.IsEmpty
            ? ApiProblem.NotFound("id", "The tenant has no product of this id on sale.")
            : new JsonOk<ProductDetails>(product);
    }

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

    private static ProductSummary Summary(ListedProduct product) => new(
        product.Id.ToString(),
        product.Sku,
        product.Name,
        product.CategoryId.ToString(),
        product.Price,
        product.Currency,
        product.Tags);
}
