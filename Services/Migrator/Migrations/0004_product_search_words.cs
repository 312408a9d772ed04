using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Search;
using Platform.Migrator.Execution;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Gives products the words that they are found by, and the index of these. This is the expanding half of the recipe in docs/migrations.md: the
/// fields are optional, programs write them with each product, and those that were there before get them here. The text index, which the
/// programs of before search by, is not in the catalogue any more, and stays until <c>migrator indexes apply --allow-drop</c> removes it.
/// </summary>
[Migration(4, "product_search_words", Replaces = new[] { "f70ee342b73d769eb71780609a22b776487e5d006269d1bc7f5f39e02ed41fec" })]
internal sealed class ProductSearchWords : Migration
{
    private const string Words = "searchWords";
    private const string NameWords = "searchNameWords";
    private const string Index = "active_words";

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        // The index comes after them: building one sorts its entries, keeping one puts each in its place.
        await context.TransformAsync(
            CollectionTransform.Rewriting(
                "write_search_words",
                CollectionNames.Products,
                new BsonDocument("$or", new BsonArray { Missing(Words), Missing(NameWords) }),
                ["name", "sku", "tags", "description"],
                Rewrite,
                (before, after) => after.GetValue(Words, BsonNull.Value) == Rewrite(before)["$set"][Words] ? null : $"'{Words}' are not those of the product").WithoutValidation(),
            cancellationToken);
        await context.EnsureCatalogueAsync(cancellationToken);
    }

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        var products = context.Database.GetCollection<BsonDocument>(CollectionNames.Products);
        // As the programs of before declare it; nothing happens when it is still there.
        await products.Indexes.CreateOneAsync(
            new CreateIndexModel<BsonDocument>(
                new BsonDocument { { "tenantId", 1 }, { "name", "text" }, { "tags", "text" }, { "description", "text" } },
                new CreateIndexOptions
                {
                    Name = "tenant_text",
                    Weights = new BsonDocument { { "name", 10 }, { "tags", 5 }, { "description", 1 } },
                    DefaultLanguage = "english",
                }),
            cancellationToken: cancellationToken);
        using (var cursor = await products.Indexes.ListAsync(cancellationToken))
        {
            if ((await cursor.ToListAsync(cancellationToken)).Exists(existing => existing["name"] == Index))
            {
                await products.Indexes.DropOneAsync(Index, cancellationToken);
            }
        }

        await context.TransformAsync(CollectionTransform.Remove("remove_search_words", CollectionNames.Products, Words).WithoutValidation(), cancellationToken);
        await context.TransformAsync(CollectionTransform.Remove("remove_search_name_words", CollectionNames.Products, NameWords).WithoutValidation(), cancellationToken);
    }

    // Of whatever older programs and people wrote: what is no text has no words.
    private static BsonDocument Rewrite(BsonDocument product)
    {
        var tags = product.GetValue("tags", BsonNull.Value) is BsonArray list ? list.OfType<BsonString>().Select(tag => tag.Value) : [];
        var words = ProductWords.Of(Text("name"), Text("sku"), tags, Text("description"));
        return new BsonDocument("$set", new BsonDocument { { Words, new BsonArray(words.All) }, { NameWords, words.OfName } });

        string Text(string field) => product.GetValue(field, BsonNull.Value) is BsonString text ? text.Value : "";
    }

    private static BsonDocument Missing(string field) => new(field, new BsonDocument("$exists", false));
}
