using MongoDB.Bson;
using Platform.Api.Contracts;
using Platform.Data.Documents;

namespace Platform.Api.Orders;

/// <summary>What came of an order. Only <see cref="Placed"/> changed anything.</summary>
public abstract record OrderOutcome
{
    private OrderOutcome()
    {
    }

    /// <summary>The order was placed and the stock is lower.</summary>
    /// <param name="Order">The order.</param>
    public sealed record Placed(Order Order) : OrderOutcome;

    /// <summary>The same order was placed before under the same idempotency key.</summary>
    /// <param name="Order">The order.</param>
    public sealed record PlacedBefore(Order Order) : OrderOutcome;

    /// <summary>Another order was placed before under the same idempotency key.</summary>
    public sealed record KeyReused : OrderOutcome;

    /// <summary>The tenant has no such customer, store or products.</summary>
    /// <param name="Customer">Whether the customer is unknown.</param>
    /// <param name="Store">Whether the store is unknown.</param>
    /// <param name="Products">The unknown products.</param>
    public sealed record Unknown(bool Customer, bool Store, IReadOnlyList<ObjectId> Products) : OrderOutcome;

    /// <summary>The store does not sell at the moment.</summary>
    public sealed record StoreClosed : OrderOutcome;

    /// <summary>
    /// Products have a price that the tenant cannot take: in another currency than its own, or with more decimals than
    /// that has.
    /// </summary>
    /// <param name="Products">The products, each with the currency of its price.</param>
    public sealed record WronglyPriced(IReadOnlyList<(ObjectId ProductId, string Currency)> Products) : OrderOutcome;

    /// <summary>The store does not have enough.</summary>
    /// <param name="Lines">The lines that are short, in the order of the request.</param>
    public sealed record OutOfStock(IReadOnlyList<ShortLine> Lines) : OrderOutcome;
}
