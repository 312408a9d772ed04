using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>
/// The events of one change, written in the transaction of the change and removed when they are in their collections.
/// The events have their keys from the start, so that those that arrived are known by them.
/// </summary>
public sealed record OutboxEntry
{
    /// <summary>The entry's key: that of what changed, such as the order.</summary>
    public required ObjectId Id { get; init; }

    /// <summary>The tenant that all events belong to.</summary>
    public required ObjectId TenantId { get; init; }

    /// <summary>When it was written (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>What was sold.</summary>
    public IReadOnlyList<SaleEvent> Sales { get; init; } = [];

    /// <summary>What became of the stock.</summary>
    public IReadOnlyList<InventoryEvent> Stock { get; init; } = [];
}
