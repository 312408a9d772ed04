using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Documents;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class DocumentConventionsTests
{
    public DocumentConventionsTests() => DocumentConventions.Register();

    [Fact]
    public void A_product_is_stored_with_its_tenant_second_camel_case_decimal128_and_named_enums()
    {
        var document = Product().ToBsonDocument();
        Assert.Equal(["_id", "tenantId", "sku"], document.Names.Take(3));
        Assert.Equal(BsonType.Decimal128, document["price"].BsonType);
        Assert.Equal("archived", document["status"].AsString);
        Assert.Equal(BsonType.DateTime, document["createdAt"].BsonType);
    }

    [Fact]
    public void A_document_reads_back_as_it_was_with_times_in_utc()
    {
        var product = Product();
        var read = BsonSerializer.Deserialize<Product>(product.ToBson());
        Assert.Equal(DateTimeKind.Utc, read.CreatedAt.Kind);
        Assert.Equal(product with { Tags = read.Tags }, read);
        Assert.Equal(product.Tags, read.Tags);
    }

    [Fact]
    public void An_unknown_element_is_ignored_and_an_unknown_enum_name_is_refused()
    {
        var document = Product().ToBsonDocument();
        document["addedLater"] = 1;
        Assert.Equal("A-1", BsonSerializer.Deserialize<Product>(document).Sku);
        document["status"] = "Archived";
        Assert.Throws<FormatException>(() => BsonSerializer.Deserialize<Product>(document));
    }

    [Fact]
    public void A_null_member_is_left_out() =>
        Assert.DoesNotContain("parentId", new Category
        {
            Id = ObjectId.GenerateNewId(),
            TenantId = ObjectId.GenerateNewId(),
            Slug = "a",
            Name = "A",
            Position = 0,
            CreatedAt = DateTime.UnixEpoch,
            UpdatedAt = DateTime.UnixEpoch,
        }.ToBsonDocument().Names);

    private static Product Product() => new()
    {
        Id = ObjectId.GenerateNewId(),
        TenantId = ObjectId.GenerateNewId(),
        Sku = "A-1",
        Name = "Chair",
        Description = "",
        CategoryId = ObjectId.GenerateNewId(),
        Price = 12.90m,
        Currency = "EUR",
        Tags = ["red", "wood"],
        Status = ProductStatus.Archived,
        CreatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        UpdatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
    };
}
