using MongoDB.Bson;
using Platform.Data.Documents;
using Platform.Data.Queries;

namespace Platform.Data.Catalogue;

/// <summary>
/// The queries that the indexes are declared for. Those of the API are made by the same functions that the API calls
/// (<see cref="ProductQueries"/>, <see cref="StoreQueries"/>, <see cref="EventQueries"/>, <see cref="OutboxQueries"/>) or are one line; a test compares
/// both with what the API sends.
/// </summary>
internal static class CatalogueQueries
{
    private const int Page = 20;

    // One more than a page says whether a next one exists.
    private const int PageAndOne = Page + 1;

    // --- Tenants

    public static IReadOnlyList<QueryShape> TenantBySlug { get; } =
    [
        One(CollectionNames.Tenants, "by slug", "Every request of the API, to find its tenant.", d => Pick(d, "slug"), tenant: false),
    ];

    public static IReadOnlyList<QueryShape> TenantsActive { get; } =
    [
        new()
        {
            Name = "active by slug",
            Asks = "The API's list of tenants.",
            Command = _ => Find(
                CollectionNames.Tenants,
                new("status", DocumentConventions.Stored(TenantStatus.Active)),
                new("slug", 1),
                1000),
        },
    ];

    // --- Stores

    public static IReadOnlyList<QueryShape> StoresNear { get; } =
    [
        new()
        {
            Name = "near",
            Asks = "The API's search for stores near a place, the nearest first.",
            Command = d =>
            {
                var near = StoreQueries.NearestFirst(d["location"], 10_000);
                near["$geoNear"]["query"] = Owned(d, near["$geoNear"]["query"].AsBsonDocument);
                return Aggregate(CollectionNames.Stores, [near, new("$limit", 10)]);
            },
            Bound = QueryBound.Filtered,
            BoundReason = "Closed stores within the distance are read and left out; on DocumentDB, which knows no tenant there, other tenants' stores as well.",
        },
    ];

    // --- Categories

    public static IReadOnlyList<QueryShape> CategoryBySlug { get; } =
        [One(CollectionNames.Categories, "by slug", "A list of products by the category's name in the URL.", d => Pick(d, "slug"))];

    public static IReadOnlyList<QueryShape> CategoryChildren { get; } =
    [
        new()
        {
            Name = "children",
            Asks = "The API, to find all categories below one: their keys, level by level.",
            Command = d =>
            {
                var find = Find(CollectionNames.Categories, Owned(d, new("parentId", In(d.GetValue("parentId", BsonNull.Value)))));
                find.Add("projection", new BsonDocument("_id", 1));
                return find;
            },
        },
    ];

    // --- Products

    public static IReadOnlyList<QueryShape> ProductSearch { get; } =
    [
        new()
        {
            Name = "search",
            Asks = "The API's search by words, best first; the last word may be the beginning of one.",
            Command = d => Aggregate(
                CollectionNames.Products,
                [Match(d, ProductQueries.Matching([Word(d, 0)], Word(d, 1))), .. ProductQueries.BestFirst([Word(d, 0)], Word(d, 1), PageAndOne)]),
            Bound = QueryBound.Ranked,
            BoundReason = $"Products with all of the words are read and ranked, at most {ProductQueries.SearchDepth}.",
        },
        new()
        {
            Name = "search, in categories and a price range",
            Asks = "The API's search by words, narrowed.",
            Command = d => Aggregate(
                CollectionNames.Products,
                [
                    Match(d, ProductQueries.Matching([Word(d, 0)], Word(d, 1), null, d["price"], d["price"], [d["categoryId"]])),
                    .. ProductQueries.BestFirst([Word(d, 0)], Word(d, 1), PageAndOne),
                ]),
            Bound = QueryBound.Ranked,
            BoundReason = "Category and price are checked on the products that have the words.",
        },
        new()
        {
            Name = "search, next page",
            Asks = "The API's search by words, a page that is not the first.",
            Command = d => Aggregate(
                CollectionNames.Products,
                [Match(d, ProductQueries.Matching([Word(d, 0)], Word(d, 1))), .. ProductQueries.BestFirst([Word(d, 0)], Word(d, 1), PageAndOne, 10, d["_id"])]),
            Bound = QueryBound.Ranked,
            BoundReason = "A score is known only when it was calculated.",
        },
    ];

    public static IReadOnlyList<QueryShape> ProductsNewest { get; } =
    [
        ProductsList("newest", "The API's list of products.", _ => ProductQueries.Newest(), ProductQueries.NewestFirst),
        ProductsList(
            "newest, next page",
            "The API's list of products, a page that is not the first.",
            d => ProductQueries.Newest(null, d["createdAt"], d["_id"]),
            ProductQueries.NewestFirst),
    ];

    public static IReadOnlyList<QueryShape> ProductsOfCategory { get; } =
    [
        ProductsList(
            "newest of a category",
            "The API's list of products of a category that has none below it.",
            d => ProductQueries.Newest([d["categoryId"]]),
            ProductQueries.NewestFirst),
        ProductsList(
            "newest of a category, next page",
            "The API's list of products of a category, a page that is not the first.",
            d => ProductQueries.Newest([d["categoryId"]], d["createdAt"], d["_id"]),
            ProductQueries.NewestFirst),
    ];

    public static IReadOnlyList<QueryShape> ProductsByPrice { get; } =
    [
        ProductsList(
            "cheapest in a range",
            "The API's list of products in a price range.",
            d => ProductQueries.Cheapest(d["price"], Ceiling),
            ProductQueries.CheapestFirst),
        ProductsList(
            "cheapest in a range, next page",
            "The API's list of products in a price range, a page that is not the first.",
            d => ProductQueries.Cheapest(d["price"], Ceiling, null, d["price"], d["_id"]),
            ProductQueries.CheapestFirst),
        ProductsList(
            "cheapest from a price",
            "The API's list of products from a price on.",
            d => ProductQueries.Cheapest(d["price"], null),
            ProductQueries.CheapestFirst),
        ProductsList(
            "cheapest up to a price",
            "The API's list of products up to a price.",
            d => ProductQueries.Cheapest(null, d["price"]),
            ProductQueries.CheapestFirst),
        ProductsList(
            "cheapest in a range, of a category",
            "The API's list of products of a category in a price range.",
            d => ProductQueries.Cheapest(d["price"], Ceiling, [d["categoryId"]]),
            ProductQueries.CheapestFirst) with
        {
            Bound = QueryBound.Filtered,
            BoundReason = "The category is checked on products in price order; an index for both would cost every write of a product.",
        },
        ProductsList(
            "cheapest in a range, of a category, next page",
            "The API's list of products of a category in a price range, a page that is not the first.",
            d => ProductQueries.Cheapest(d["price"], Ceiling, [d["categoryId"]], d["price"], d["_id"]),
            ProductQueries.CheapestFirst) with
        {
            Bound = QueryBound.Filtered,
            BoundReason = "As on the first page.",
        },
    ];

    public static IReadOnlyList<QueryShape> ProductsByKey { get; } =
    [
        One(CollectionNames.Products, "by key", "The API's page of one product.", d => Pick(d, "_id")),
        new()
        {
            Name = "on sale, by keys",
            Asks = "An order that is placed, to read what it is for.",
            Command = d => Find(
                CollectionNames.Products,
                Owned(d, new() { { "_id", In(d["_id"]) }, { "status", DocumentConventions.Stored(ProductStatus.Active) } })),
            Bound = QueryBound.Filtered,
            BoundReason = "A key leads to one product; its tenant and status are checked on it.",
        },
    ];

    // --- Inventory

    public static IReadOnlyList<QueryShape> StockOfProduct { get; } =
    [
        new()
        {
            Name = "of a product",
            Asks = "The API's page of one product: where it is in stock.",
            Command = d => Find(CollectionNames.Inventory, Owned(d, Pick(d, "productId"))),
        },
        new()
        {
            Name = "of products in a store",
            Asks = "An order that is placed, to see whether there is enough.",
            Command = d => Find(CollectionNames.Inventory, Owned(d, new() { { "productId", In(d["productId"]) }, { "storeId", d["storeId"] } })),
        },
        One(CollectionNames.Inventory, "of a product in a store", "An order that is placed, to take its pieces.", d => Pick(d, "productId", "storeId")),
    ];

    // --- Events

    public static IReadOnlyList<QueryShape> SalesOfPeriod { get; } =
    [
        Sales("of a period, by day", "The API's report on a tenant's sales.", d => EventQueries.Of(d["at"], Later)),
        Again(CollectionNames.SaleEvents),
    ];

    public static IReadOnlyList<QueryShape> SalesOfProduct { get; } =
    [
        Sales("of a product, by day", "The API's report on the sales of a product.", d => EventQueries.Of(d["at"], Later, d["productId"])),
    ];

    public static IReadOnlyList<QueryShape> SalesOfStore { get; } =
        [Sales("of a store, by day", "The API's report on the sales of a store.", d => EventQueries.Of(d["at"], Later, null, d["storeId"]))];

    public static IReadOnlyList<QueryShape> StockEventsOfPeriod { get; } = [Again(CollectionNames.InventoryEvents)];

    public static IReadOnlyList<QueryShape> StockEventsOfProduct { get; } =
    [
        List(
            CollectionNames.InventoryEvents,
            "of a product in a store",
            "The API's report on how the stock came to be what it is, the latest change first.",
            d => EventQueries.Of(d["at"], Later, d["productId"], d["storeId"]),
            EventQueries.LatestFirst) with
        {
            Bound = QueryBound.Filtered,
            BoundReason = "The order is that of the commits and the period that of the clocks; changes after the period are passed over in the index.",
        },
    ];

    // --- Outbox

    public static IReadOnlyList<QueryShape> OutboxByDate { get; } =
    [
        new()
        {
            Name = "due of a tenant",
            Asks = "The API, to deliver a tenant's events that were left behind, the oldest first; it finds the tenants by the same filter.",
            Command = d => Find(
                CollectionNames.Outbox,
                OutboxQueries.Due(Later, Later, EventOutboxForm).Add("tenantId", d["tenantId"]),
                OutboxQueries.OldestFirst,
                PageAndOne),
            Bound = QueryBound.Filtered,
            BoundReason = "There are few entries at any time: the tenant and how often it was tried are checked on those of before.",
        },
        new()
        {
            Name = "waiting",
            Asks = "The API, to learn when to look again.",
            Command = _ => Find(CollectionNames.Outbox, OutboxQueries.Waiting(), OutboxQueries.OldestFirst, OutboxQueries.MostWaiting),
            Bound = QueryBound.Filtered,
            BoundReason = "Entries that were set aside are passed over.",
        },
    ];

    // --- By key

    /// <summary>The one query by key that a tenant-owned collection of the API has.</summary>
    public static IReadOnlyList<QueryShape> ByKey(string collection, string asks) => [One(collection, "by key", asks, d => Pick(d, "_id"))];

    // Any that there may be: the shape is the same.
    private const int EventOutboxForm = 1;

    private static BsonValue Later => new BsonDateTime(new DateTime(9000, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    private static BsonValue Ceiling { get; } = new BsonDecimal128(1_000_000_000m);

    private static QueryShape ProductsList(string name, string asks, Func<BsonDocument, BsonDocument> filter, BsonDocument sort) =>
        List(CollectionNames.Products, name, asks, filter, sort);

    private static QueryShape One(string collection, string name, string asks, Func<BsonDocument, BsonDocument> filter, bool tenant = true) => new()
    {
        Name = name,
        Asks = asks,
        Command = d => Find(collection, tenant ? Owned(d, filter(d)) : filter(d), limit: 1),
    };

    private static QueryShape List(string collection, string name, string asks, Func<BsonDocument, BsonDocument> filter, BsonDocument sort) => new()
    {
        Name = name,
        Asks = asks,
        Command = d => Find(collection, Owned(d, filter(d)), sort, PageAndOne),
    };

    private static QueryShape Sales(string name, string asks, Func<BsonDocument, BsonDocument> filter) => new()
    {
        Name = name,
        Asks = asks,
        Command = d => Aggregate(CollectionNames.SaleEvents, [Match(d, filter(d)), .. EventQueries.SalesByDay()]),
        Bound = QueryBound.Summed,
        BoundReason = "All sales of the period are read to be added up.",
    };

    private static QueryShape Again(string collection) => new()
    {
        Name = "of a moment",
        Asks = "The API, before it delivers events that may be there already.",
        Command = d => Find(collection, Owned(d, EventQueries.AtOnce(d["at"]))),
    };

    private static BsonDocument Pick(BsonDocument document, params string[] fields) =>
        new(fields.Select(field => new BsonElement(field, document.GetValue(field, BsonNull.Value))));

    private static BsonValue Word(BsonDocument product, int number) => product["searchWords"] is BsonArray words ? words[number] : product["searchWords"];

    private static BsonDocument In(BsonValue value) => new("$in", new BsonArray { value });

    private static BsonDocument Owned(BsonDocument document, BsonDocument filter) =>
        new BsonDocument("tenantId", document["tenantId"]).Merge(filter);

    private static BsonDocument Match(BsonDocument document, BsonDocument filter) => new("$match", Owned(document, filter));

    private static BsonDocument Find(string collection, BsonDocument filter, BsonDocument? sort = null, int? limit = null)
    {
        var find = new BsonDocument { { "find", collection }, { "filter", filter } };
        if (sort is not null)
        {
            find.Add("sort", sort);
        }

        if (limit is not null)
        {
            find.Add("limit", limit);
        }

        return find;
    }

    private static BsonDocument Aggregate(string collection, IEnumerable<BsonDocument> stages) =>
        new() { { "aggregate", collection }, { "pipeline", new BsonArray(stages) }, { "cursor", new BsonDocument() } };
}
