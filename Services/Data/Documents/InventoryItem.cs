using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>The stock of one product in one store.</summary>
public sealed record InventoryItem : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The product, of the same tenant.</summary>
    public required ObjectId ProductId { get; init; }

    /// <summary>The store, of the same tenant.</summary>
    public required ObjectId StoreId { get; init; }

    /// <summary>Pieces in the store, including reserved ones.</summary>
    [Range(0, int.MaxValue)]
    public required int OnHand { get; init; }

    /// <summary>Pieces promised to orders that have not left the store; at most <see cref="OnHand"/>.</summary>
    [Range(0, int.MaxValue)]
    public required int Reserved { get; init; }

    /// <summary>The store orders more when fewer pieces than this are on hand.</summary>
    [Range(0, int.MaxValue)]
    public required int ReorderLevel { get; init; }

    /// <summary>
    /// The number of the latest change of the stock, counted up with it; missing before the first. Changes of one document
    /// follow each other, so the numbers do as the commits did, whatever the clocks said.
    /// </summary>
    [Range(0, int.MaxValue)]
    public long? Sequence { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
