using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>One change of a product's stock in a store, as a measurement: written once and never changed.</summary>
public sealed record InventoryEvent : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>When it changed (UTC).</summary>
    public required DateTime At { get; init; }

    /// <summary>The store, of the same tenant.</summary>
    public required ObjectId StoreId { get; init; }

    /// <summary>The product, of the same tenant.</summary>
    public required ObjectId ProductId { get; init; }

    /// <summary>Why it changed.</summary>
    public required InventoryEventKind Kind { get; init; }

    /// <summary>
    /// The number that the change has among those of the product in the store, in the order of their commits; missing in events
    /// that programs before migration 0003 wrote, which are older than all that have one.
    /// </summary>
    [Range(0, int.MaxValue)]
    public long? Sequence { get; init; }

    /// <summary>By how many pieces the stock on hand changed; negative when it became less.</summary>
    [Range(-1_000_000, 1_000_000)]
    public required int Change { get; init; }

    /// <summary>Pieces on hand afterwards.</summary>
    [Range(0, int.MaxValue)]
    public required int OnHand { get; init; }
}
