using MongoDB.Bson;
using Platform.Api.Contracts;
using Platform.Data.Documents;

namespace Platform.Api.Reports;

/// <summary>What a tenant's events add up to.</summary>
public interface IReports
{
    /// <summary>The sales of each day of a period on which something was sold, the first day first.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="from">The first day (UTC).</param>
    /// <param name="to">The last day (UTC).</param>
    /// <param name="product">Only this product; null for all. Not together with a store.</param>
    /// <param name="store">Only this store; null for all. Not together with a product.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<SalesOfDay>> SalesAsync(
        ObjectId tenantId, DateOnly from, DateOnly to, ObjectId? product, ObjectId? store,
        CancellationToken cancellationToken);

    /// <summary>The changes of a product's stock in a store in a period, the latest first.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="from">The first day (UTC).</param>
    /// <param name="to">The last day (UTC).</param>
    /// <param name="product">The product.</param>
    /// <param name="store">The store.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<InventoryEvent>> StockAsync(
        ObjectId tenantId, DateOnly from, DateOnly to, ObjectId product, ObjectId store, int limit,
        CancellationToken cancellationToken);
}
