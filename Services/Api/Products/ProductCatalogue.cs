using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Api.Contracts;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;

namespace Platform.Api.Products;

/// <summary>The products in the database. Lists are paged by key: no page costs more than the first.</summary>
public sealed class ProductCatalogue(PlatformDatabase database, MongoResilience resilience) : IProductCatalogue
{
    // Guards against a category that is, by mistake, its own ancestor.
    private const int MaxCategoryDepth = 10;

    // They are for searches, and half of the document.
    private static readonly ProjectionDefinition<Product, Product> s_withoutWords =
        new BsonDocument { { "searchWords", 0 }, { "searchNameWords", 0 } };

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectId>> FindCategoriesAsync(
        ObjectId tenantId, string category, CancellationToken cancellationToken) =>
        resilience.RunAsync(
            "find categories",
            Repetition.Allowed,
            token => ReadCategoriesAsync(tenantId, category, token),
            cancellationToken);

    private async Task<IReadOnlyList<ObjectId>> ReadCategoriesAsync(
        ObjectId tenantId, string category, CancellationToken cancellationToken)
    {
        var categories = database.ForTenant(tenantId).Categories;
        var filter = ObjectId.TryParse(category, out var id)
            ? Builders<Category>.Filter.Eq(candidate => candidate.Id, id)
            : Builders<Category>.Filter.Eq(candidate => candidate.Slug, category);
        if (await categories.Find(filter).FirstOrDefaultAsync(cancellationToken) is not { } root)
        {
            return [];
        }

        List<ObjectId> all = [root.Id];
        List<ObjectId?> level = [root.Id];
        for (var depth = 0; depth < MaxCategoryDepth && level.Count > 0; depth++)
        {
            var children = await categories.Find(Builders<Category>.Filter.In(candidate => candidate.ParentId, level))
                .Project(candidate => candidate.Id)
                .ToListAsync(cancellationToken);
            level = [.. children.Except(all).Select(child => (ObjectId?)child)];
            all.AddRange(level.Select(child => child!.Value));
        }

        return all;
    }

    /// <inheritdoc/>
    public bool IsPosition(ProductOrder order, BsonDocument position)
    {
        ArgumentNullException.ThrowIfNull(position);
        return position.ElementCount == 2
            && position.TryGetValue("i", out var id) && id.IsObjectId
            && position.TryGetValue("k", out var key) && order switch
            {
                ProductOrder.Newest => key.IsBsonDateTime,
                ProductOrder.Cheapest => key.IsDecimal128,
                _ => key.IsDouble,
            };
    }

    /// <inheritdoc/>
    public Task<ProductSlice> ListAsync(
        ObjectId tenantId, ProductFilter filter, BsonDocument? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return resilience.RunAsync(
            "list products",
            Repetition.Allowed,
            token => ReadAsync(tenantId, filter, after, limit, token),
            cancellationToken);
    }

    private async Task<ProductSlice> ReadAsync(
        ObjectId tenantId, ProductFilter filter, BsonDocument? after, int limit, CancellationToken cancellationToken)
    {
        var products = database.ForTenant(tenantId).Products;
        var categories = filter.Categories?.Select(category => (BsonValue)category);
        var (min, max) = (Price(filter.MinPrice), Price(filter.MaxPrice));
        var (afterKey, afterId) = (after?["k"], after?["i"]);

        // One more than asked for says whether a next page exists.
        if (filter.Search is { } search)
        {
            BsonValue[] words = [.. search.Words], without = [.. search.Without];
            var pipeline = new BsonDocumentStagePipelineDefinition<Product, BsonDocument>(
            [
                new BsonDocument(
                    "$match", ProductQueries.Matching(words, search.Beginning, without, min, max, categories)),
                .. ProductQueries.BestFirst(words, search.Beginning, limit + 1, afterKey, afterId),
            ]);
            using var scored = await products.AggregateAsync(pipeline, cancellationToken: cancellationToken);
            var documents = await scored.ToListAsync(cancellationToken);
            var found = documents.Select(document => BsonSerializer.Deserialize<ListedProduct>(document)).ToList();
            return Slice(found, limit, last => documents[last][ProductQueries.Score].ToDouble());
        }

        if (filter.Order == ProductOrder.Cheapest)
        {
            var cheapest = await products.Find(ProductQueries.Cheapest(min, max, categories, afterKey, afterId))
                .Sort(ProductQueries.CheapestFirst)
                .Limit(limit + 1)
                .Project(ListedProduct.Fields)
                .ToListAsync(cancellationToken);
            return Slice(cheapest, limit, last => cheapest[last].Price);
        }

        var newest = await products.Find(ProductQueries.Newest(categories, afterKey, afterId))
            .Sort(ProductQueries.NewestFirst)
            .Limit(limit + 1)
            .Project(ListedProduct.Fields)
            .ToListAsync(cancellationToken);
        return Slice(newest, limit, last => newest[last].CreatedAt);
    }

    /// <inheritdoc/>
    public Task<ProductDetails?> FindAsync(
        ObjectId tenantId, ObjectId productId, CancellationToken cancellationToken) =>
        resilience.RunAsync(
            "find product", Repetition.Allowed, token => ReadAsync(tenantId, productId, token), cancellationToken);

    private async Task<ProductDetails?> ReadAsync(
        ObjectId tenantId, ObjectId productId, CancellationToken cancellationToken)
    {
        var scope = database.ForTenant(tenantId);
        var stockSought = scope.Inventory
            .Find(new BsonDocument("productId", productId))
            .ToListAsync(cancellationToken);
        var productSought = scope.Products.Find(new BsonDocument("_id", productId))
            .Project(s_withoutWords)
            .FirstOrDefaultAsync(cancellationToken);
        // Both, also when one fails: a repetition must not run beside what is left of the attempt before it.
        await Task.WhenAll(stockSought, productSought);
        var (product, items) = (await productSought, await stockSought);
        if (product is not { Status: ProductStatus.Active })
        {
            return null;
        }

        var stores = items.OrderBy(item => item.StoreId)
            .Select(item => new StoreStock(item.StoreId.ToString(), item.OnHand - item.Reserved))
            .ToList();
        return new ProductDetails(
            product.Id.ToString(),
            product.Sku,
            product.Name,
            product.Description,
            product.CategoryId.ToString(),
            product.Price,
            product.Currency,
            product.Tags,
            stores.Sum(store => (long)store.Available),
            stores,
            product.UpdatedAt);
    }

    private static BsonDecimal128? Price(decimal? price) => price is { } given ? new BsonDecimal128(given) : null;

    private static ProductSlice Slice(List<ListedProduct> found, int limit, Func<int, BsonValue> key)
    {
        if (found.Count <= limit)
        {
            return new ProductSlice(found, null);
        }

        var last = limit - 1;
        return new ProductSlice(found[..limit], new BsonDocument { { "k", key(last) }, { "i", found[last].Id } });
    }
}
