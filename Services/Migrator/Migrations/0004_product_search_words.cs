using MongoDB.Bson;
using Platform.Data.Search;
using Platform.Migrator.Execution;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Gives products the words that they are found by, and the index of these. This is the expanding half of the recipe in docs/migrations.md: the
/// fields are optional, programs write them with each product, and those that were there before get them here. The text index, which the
/// programs of before search by, stays for this version; the next one drops it. The index of the words is built when they are there: building one sorts
/// its entries, keeping one puts each in its place.
/// </summary>
[Migration(4, "product_search_words", Replaces = new[]
{
    "f70ee342b73d769eb71780609a22b776487e5d006269d1bc7f5f39e02ed41fec", "7b57244d01b308d45e4305779f8f0249f4118744accf167355aa8453eedd13a2",
})]
internal sealed class ProductSearchWords : Migration
{
    private const string Words = "searchWords";
    private const string NameWords = "searchNameWords";

    public override bool CanBeRepeated => true;

    public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) =>
        context.TransformAsync(
            CollectionTransform.Rewriting(
                "write_search_words",
                CollectionNames.Products,
                new BsonDocument("$or", new BsonArray { Missing(Words), Missing(NameWords) }),
                ["name", "sku", "tags", "description"],
                Rewrite,
                (before, after) => after.GetValue(Words, BsonNull.Value) == Rewrite(before)["$set"][Words] ? null : $"'{Words}' are not those of the product")
                .WithoutValidation(),
            cancellationToken);

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        await context.TransformAsync(CollectionTransform.Remove("remove_search_words", CollectionNames.Products, Words).WithoutValidation(), cancellationToken);
        await context.TransformAsync(
            CollectionTransform.Remove("remove_search_name_words", CollectionNames.Products, NameWords).WithoutValidation(), cancellationToken);
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
