using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Validation;
using Xunit;

namespace Platform.Tests.Server.Migrator.Migrations;

/// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
public sealed class ProductSearchWordsTests(MongoServer server) : MigrationContract(server)
{
    private const int Products = 90;
    private static readonly ObjectId s_key = new("000000000000000000000001");
    private static readonly DateTime s_time = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    protected override int Number => 4;

    // One document breaks the rules of every version.
    protected override ValidationOptions Validation { get; } = new()
    {
        Collections = { [CollectionNames.Products] = new() { Level = "moderate" } },
    };

    protected override Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken) =>
        InsertAsync(database, CollectionNames.Products, Enumerable.Range(1, Products).Select(Product), cancellationToken);

    protected override async Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
    {
        var products = database.GetCollection<BsonDocument>(CollectionNames.Products);
        foreach (var product in await products.Find(new BsonDocument()).ToListAsync(cancellationToken))
        {
            var number = product["_id"].AsObjectId.ToString()[^2..];
            Assert.Equal(
                product["name"].IsString
                    ? new BsonArray
                    {
                        "cafe",
                        "xk",
                        "2000",
                        $"{int.Parse(number, System.Globalization.NumberStyles.HexNumber, null)}",
                        "s",
                        "red",
                        "for",
                        "isik",
                    }
                    : ["s", $"{int.Parse(number, System.Globalization.NumberStyles.HexNumber, null)}"],
                product["searchWords"]);
            Assert.Equal(product["name"].IsString ? 4 : 0, product["searchNameWords"].AsInt32);
        }

        // Found by them, and by programs of before as before.
        var found = await products.Find(new BsonDocument("tenantId", s_key).Merge(ProductQueries.Matching(["isik", "2000"], "caf")))
            .ToListAsync(cancellationToken);
        Assert.Equal(Products - 1, found.Count);
        Assert.NotEmpty(await products.Find("{ tenantId: ObjectId('000000000000000000000001'), $text: { $search: 'XK' } }").ToListAsync(cancellationToken));
        using var cursor = await products.Indexes.ListAsync(cancellationToken);
        Assert.Empty(CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_words").DifferencesFrom(
            (await cursor.ToListAsync(cancellationToken)).Single(index => index["name"] == "active_words")));
    }

    // One of them as no program of ours writes it.
    private static BsonDocument Product(int number) => new()
    {
        { "_id", new ObjectId($"{number:x24}") },
        { "tenantId", s_key },
        { "sku", $"S{(number == 7 ? "-" : "/")}{number}" },
        { "name", number == 7 ? BsonNull.Value : $"Cafe\u0301 XK-2000 {number}" },
        { "description", number == 7 ? new BsonInt32(7) : "For IŞIK!" },
        { "categoryId", s_key },
        { "price", new BsonDecimal128(1m) },
        { "currency", "EUR" },
        { "tags", number == 7 ? "none" : new BsonArray { "Red", 4 } },
        { "status", DocumentConventions.Stored(ProductStatus.Active) },
        { "createdAt", s_time },
        { "updatedAt", s_time },
    };
}
