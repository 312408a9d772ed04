using System.Text.Json;
using MongoDB.Bson;
using Platform.Api.Caching;
using Platform.Api.Contracts;
using Platform.Api.Paging;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Documents;

namespace Platform.Api.Products;

/// <summary>Pages of lists of products, as callers get them. First pages, which nearly everybody looks at, are cached.</summary>
internal sealed class ProductPages(IProductCatalogue products, PageCursors cursors, DataCaches caches)
{
    /// <summary>How many products a page has unless the caller says.</summary>
    public const int DefaultLimit = 20;

    /// <summary>What a list is that a cursor belongs to: all that identifies it but where it is.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="words">The words that are searched, as they were sent.</param>
    /// <param name="category">The category, as it was sent.</param>
    /// <param name="filter">The rest.</param>
    public static string ListOf(Tenant tenant, string? words, string? category, ProductFilter filter) =>
        JsonSerializer.Serialize<object?[]>(["products", tenant.Slug, words, category, filter.MinPrice, filter.MaxPrice]);

    /// <summary>The first page, from the cache if it has it.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="category">The category, as it was sent.</param>
    /// <param name="list">What <see cref="ListOf"/> says.</param>
    /// <param name="filter">Which products.</param>
    /// <param name="limit">How many products at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<CacheAnswer> FirstAsync(
        Tenant tenant, string? category, string list, ProductFilter filter, int limit, CancellationToken cancellationToken) =>
        caches[CacheCatalogue.ProductLists].GetAsync(
            CacheKeys.ProductList(tenant.Id.ToString(), category, $"{list}{limit}"),
            async token => CachedJson.Of(await ReadAsync(tenant.Id, list, filter, null, limit, token)),
            cancellationToken);

    /// <summary>A page, from the database.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="list">What <see cref="ListOf"/> says.</param>
    /// <param name="filter">Which products.</param>
    /// <param name="after">Where to continue; null for the start.</param>
    /// <param name="limit">How many products at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<ProductPage> ReadAsync(
        ObjectId tenant, string list, ProductFilter filter, BsonDocument? after, int limit, CancellationToken cancellationToken)
    {
        var slice = await products.ListAsync(tenant, filter, after, limit, cancellationToken);
        return new ProductPage([.. slice.Products.Select(Summary)], slice.Next is null ? null : cursors.Encode(list, slice.Next));
    }

    /// <summary>A category and all below it, from the cache if it has them; empty when the tenant has no such category.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="category">The category's slug, or its id.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<ObjectId>> CategoriesAsync(ObjectId tenant, string category, CancellationToken cancellationToken)
    {
        var answer = await caches[CacheCatalogue.Categories].GetAsync(
            CacheKeys.Category(tenant.ToString(), category),
            async token => await products.FindCategoriesAsync(tenant, category, token) is { Count: > 0 } found
                ? CachedJson.Of<string[]>([.. found.Select(id => id.ToString())])
                : null,
            cancellationToken);
        return answer.Entry.Exists
            ? answer.Entry.As<ObjectId[]>(json => [.. CachedJson.Read<string[]>(json).Select(ObjectId.Parse)])
            : [];
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
