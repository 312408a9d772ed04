using MongoDB.Bson;
using Platform.Data.Documents;

namespace Platform.Api.Orders;

/// <summary>A tenant's orders.</summary>
public interface IOrderBook
{
    /// <summary>Places an order: takes the stock and writes the order, both or neither.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="draft">The order.</param>
    /// <param name="cancellationToken">Cancels the transaction.</param>
    Task<OrderOutcome> PlaceAsync(Tenant tenant, OrderDraft draft, CancellationToken cancellationToken);

    /// <summary>Reads an order; null when the tenant has none of this id.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="orderId">The order.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<Order?> FindAsync(ObjectId tenantId, ObjectId orderId, CancellationToken cancellationToken);
}
