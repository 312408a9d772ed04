using MongoDB.Bson;
using Platform.Data.Documents;
using Platform.Data.Search;

namespace Platform.Data.Queries;

/// <summary>
/// The lists of products on sale, as one tenant's filters and sorts. The catalogue declares the indexes for exactly these, and
/// the API asks exactly these; the tenant is added by who asks.
/// </summary>
/// <remarks>
/// A page begins after the last document of the one before: the sort's field is bounded, so that the index is entered there, and
/// ties are told apart by <c>_id</c>.
/// </remarks>
public static class ProductQueries
{
    /// <summary>How many of the products that contain the words are ranked. More have words too common to tell them apart.</summary>
    public const int SearchDepth = 2_000;

    /// <summary>The field that search results have in addition: how well they match.</summary>
    public const string Score = "_score";

    private const string Words = "searchWords";
    private const string NameWords = "searchNameWords";

    /// <summary>The latest created first.</summary>
    public static BsonDocument NewestFirst => new() { { "createdAt", -1 }, { "_id", -1 } };

    /// <summary>The lowest price first.</summary>
    public static BsonDocument CheapestFirst => new() { { "price", 1 }, { "_id", 1 } };

    /// <summary>Products on sale, all or of some categories; sorted by <see cref="NewestFirst"/>.</summary>
    /// <param name="categories">The categories; null for all.</param>
    /// <param name="afterCreated">When the last product of the page before was created; null for the first page.</param>
    /// <param name="afterId">The key of that product.</param>
    public static BsonDocument Newest(IEnumerable<BsonValue>? categories = null, BsonValue? afterCreated = null, BsonValue? afterId = null)
    {
        var filter = OnSale();
        Within(filter, categories);
        if (afterCreated is not null)
        {
            filter.Add("createdAt", new BsonDocument("$lte", afterCreated));
            filter.Add("$or", new BsonArray
            {
                new BsonDocument("createdAt", new BsonDocument("$lt", afterCreated)),
                new BsonDocument { { "createdAt", afterCreated }, { "_id", new BsonDocument("$lt", afterId) } },
            });
        }

        return filter;
    }

    /// <summary>Products on sale in a range of prices; sorted by <see cref="CheapestFirst"/>.</summary>
    /// <param name="min">The least price; null for none.</param>
    /// <param name="max">The greatest price; null for none.</param>
    /// <param name="categories">The categories; null for all.</param>
    /// <param name="afterPrice">The price of the last product of the page before; null for the first page.</param>
    /// <param name="afterId">The key of that product.</param>
    public static BsonDocument Cheapest(
        BsonValue? min, BsonValue? max, IEnumerable<BsonValue>? categories = null, BsonValue? afterPrice = null, BsonValue? afterId = null)
    {
        var filter = OnSale();
        Within(filter, categories);
        // The page before ended at or above the least price, so its end is the tighter bound.
        Between(filter, afterPrice ?? min, max);
        if (afterPrice is not null)
        {
            filter.Add("$or", new BsonArray
            {
                new BsonDocument("price", new BsonDocument("$gt", afterPrice)),
                new BsonDocument { { "price", afterPrice }, { "_id", new BsonDocument("$gt", afterId) } },
            });
        }

        return filter;
    }

    /// <summary>Products on sale that have all words of a search; for <see cref="BestFirst"/>.</summary>
    /// <param name="words">The words that have to be there.</param>
    /// <param name="beginning">The beginning of one more.</param>
    /// <param name="without">The words that must not be there; null for none.</param>
    /// <param name="min">The least price; null for none.</param>
    /// <param name="max">The greatest price; null for none.</param>
    /// <param name="categories">The categories; null for all.</param>
    /// <remarks>Words are letters and digits (<see cref="SearchText"/>), so that they mean nothing else in a pattern or an expression.</remarks>
    public static BsonDocument Matching(
        IEnumerable<BsonValue> words,
        BsonValue beginning,
        IReadOnlyCollection<BsonValue>? without = null,
        BsonValue? min = null,
        BsonValue? max = null,
        IEnumerable<BsonValue>? categories = null)
    {
        var filter = OnSale();
        var contained = new BsonDocument("$all", new BsonArray(words) { new BsonRegularExpression($"^{beginning}") });
        if (without is { Count: > 0 })
        {
            contained.Add("$nin", new BsonArray(without));
        }

        filter.Add(Words, contained);
        Within(filter, categories);
        Between(filter, min, max);
        return filter;
    }

    /// <summary>
    /// The stages after the match of <see cref="Matching"/>: the best first. A word counts ten times as much in the name as elsewhere, the
    /// beginning of a word half of a whole one.
    /// </summary>
    /// <param name="words">The words that have to be there.</param>
    /// <param name="beginning">The beginning of one more.</param>
    /// <param name="limit">How many products at most.</param>
    /// <param name="afterScore">The score of the last product of the page before; null for the first page.</param>
    /// <param name="afterId">The key of that product.</param>
    public static IReadOnlyList<BsonDocument> BestFirst(
        IEnumerable<BsonValue> words, BsonValue beginning, int limit, BsonValue? afterScore = null, BsonValue? afterId = null)
    {
        var ofWords = words.Select(word => Call("$cond", IsInName(word), 20, 2));
        List<BsonDocument> stages =
        [
            new("$addFields", new BsonDocument(Score, Call("$add", [.. ofWords, OfBeginning(beginning)]))),
            // Bounds the work. Behind the score, DocumentDB calculates that once for each product, and else for each use; MongoDB takes the limit first.
            new("$limit", SearchDepth),
        ];
        if (afterScore is not null)
        {
            stages.Add(new("$match", new BsonDocument("$or", new BsonArray
            {
                new BsonDocument(Score, new BsonDocument("$lt", afterScore)),
                new BsonDocument { { Score, afterScore }, { "_id", new BsonDocument("$gt", afterId) } },
            })));
        }

        stages.Add(new("$sort", new BsonDocument { { Score, -1 }, { "_id", 1 } }));
        stages.Add(new("$limit", limit));
        return stages;
    }

    private static BsonDocument OfBeginning(BsonValue beginning) => Call(
        "$cond",
        Call("$in", beginning, $"${Words}"),
        Call("$cond", IsInName(beginning), 20, 2),
        Call(
            "$cond",
            Call("$anyElementTrue", new BsonDocument("$map", new BsonDocument
            {
                { "input", Call("$slice", $"${Words}", $"${NameWords}") },
                { "as", "word" },
                { "in", Call("$eq", Call("$indexOfCP", "$$word", beginning), 0) },
            })),
            10,
            1));

    // Of a word that is there.
    private static BsonDocument IsInName(BsonValue word) => Call("$lt", Call("$indexOfArray", $"${Words}", word), $"${NameWords}");

    private static BsonDocument Call(string name, params BsonValue[] arguments) => new(name, new BsonArray(arguments));

    private static BsonDocument OnSale() => new("status", DocumentConventions.Stored(ProductStatus.Active));

    private static void Within(BsonDocument filter, IEnumerable<BsonValue>? categories)
    {
        if (categories is not null)
        {
            filter.Add("categoryId", new BsonDocument("$in", new BsonArray(categories)));
        }
    }

    private static void Between(BsonDocument filter, BsonValue? min, BsonValue? max)
    {
        var range = new BsonDocument();
        if (min is not null)
        {
            range.Add("$gte", min);
        }

        if (max is not null)
        {
            range.Add("$lte", max);
        }

        if (range.ElementCount > 0)
        {
            filter.Add("price", range);
        }
    }
}
