namespace Platform.Api.Contracts;

/// <summary>An order.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="Number">The order's name to people.</param>
/// <param name="CustomerId">The customer's id.</param>
/// <param name="StoreId">The id of the store that serves the order.</param>
/// <param name="Lines">What was ordered, at the prices of that time.</param>
/// <param name="Currency">The currency of all amounts, as an ISO 4217 code.</param>
/// <param name="Subtotal">The sum of the lines.</param>
/// <param name="Tax">Tax on the lines.</param>
/// <param name="Total">Subtotal plus tax.</param>
/// <param name="Status">How far the order has come: pending, paid, shipped, delivered, cancelled or refunded.</param>
/// <param name="PlacedAt">When the order was placed (UTC).</param>
public sealed record OrderDetails(
    string Id,
    string Number,
    string CustomerId,
    string StoreId,
    IReadOnlyList<OrderDetailsLine> Lines,
    string Currency,
    decimal Subtotal,
    decimal Tax,
    decimal Total,
    string Status,
    DateTime PlacedAt);
