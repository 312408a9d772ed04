using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using Platform.Data.Search;

namespace Platform.Data.Documents;

/// <summary>A thing that a tenant sells.</summary>
public sealed record Product : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The stock-keeping unit; unique per tenant.</summary>
    [StringLength(64, MinimumLength = 1)]
    public required string Sku { get; init; }

    /// <summary>The name shown to people.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>What it is; plain text.</summary>
    [StringLength(5000)]
    public required string Description { get; init; }

    /// <summary>The category it is filed under, of the same tenant.</summary>
    public required ObjectId CategoryId { get; init; }

    /// <summary>The price of one, in units of <see cref="Currency"/> and with no more decimals than it has.</summary>
    [Range(0, 1_000_000_000)]
    public required decimal Price { get; init; }

    /// <summary>The currency of the price, as an ISO 4217 code: the tenant's, since a product of another cannot be ordered.</summary>
    [RegularExpression(Patterns.Currency, ErrorMessage = Patterns.CurrencySentence)]
    public required string Currency { get; init; }

    /// <summary>Words to find it by.</summary>
    [MaxLength(20), Items(MinimumLength = 1, MaximumLength = 50, Unique = true)]
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>Whether it is sold.</summary>
    public required ProductStatus Status { get; init; }

    /// <summary>When the product was created (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>
    /// The words that the product is found by: those of its name, then of SKU, tags and description. Written with every product; one that a
    /// program from before it wrote has none, and is not found by words.
    /// </summary>
    [MaxLength(ProductWords.Most), Items(MinimumLength = 1, MaximumLength = SearchText.MaxLength)]
    [BsonElement("searchWords"), ComputedFrom(nameof(Name), nameof(Sku), nameof(Tags), nameof(Description))]
    public IReadOnlyList<string>? SearchWords => ProductWords.Of(Name, Sku, Tags, Description).All;

    /// <summary>How many of <see cref="SearchWords"/>, from the first, are of the name: a product is a better match for these.</summary>
    [Range(0, ProductWords.Most)]
    [BsonElement("searchNameWords"), ComputedFrom(nameof(Name))]
    public int? SearchNameWords => ProductWords.Of(Name).OfName;
}
