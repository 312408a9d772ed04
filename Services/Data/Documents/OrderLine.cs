using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>One product on an order, as it was when the order was placed.</summary>
public sealed record OrderLine
{
    /// <summary>The product, of the same tenant.</summary>
    public required ObjectId ProductId { get; init; }

    /// <summary>The product's stock-keeping unit at that time.</summary>
    [StringLength(64, MinimumLength = 1)]
    public required string Sku { get; init; }

    /// <summary>The product's name at that time.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>How many.</summary>
    [Range(1, 10_000)]
    public required int Quantity { get; init; }

    /// <summary>The price of one at that time, in the order's currency.</summary>
    [Range(0, 1_000_000_000)]
    public required decimal UnitPrice { get; init; }

    /// <summary>Quantity times unit price.</summary>
    [Range(typeof(decimal), "0", Order.MaxAmount)]
    public required decimal Total { get; init; }
}
