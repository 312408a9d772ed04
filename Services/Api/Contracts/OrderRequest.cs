namespace Platform.Api.Contracts;

/// <summary>An order to place.</summary>
/// <param name="CustomerId">The customer's id.</param>
/// <param name="StoreId">The id of the store that serves the order.</param>
/// <param name="Lines">What is ordered: as many lines as an order may have, each product on one.</param>
public sealed record OrderRequest(string CustomerId, string StoreId, IReadOnlyList<OrderRequestLine> Lines);
