using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>One line of an order, as a measurement of what is sold: written once and never changed.</summary>
public sealed record SaleEvent : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>When it was sold (UTC).</summary>
    public required DateTime At { get; init; }

    /// <summary>The store that sold it, of the same tenant.</summary>
    public required ObjectId StoreId { get; init; }

    /// <summary>What was sold, of the same tenant.</summary>
    public required ObjectId ProductId { get; init; }

    /// <summary>The order that it was sold by, of the same tenant.</summary>
    public required ObjectId OrderId { get; init; }

    /// <summary>How many.</summary>
    [Range(1, 1_000_000)]
    public required int Quantity { get; init; }

    /// <summary>What was paid for them, in units of <see cref="Currency"/>.</summary>
    [Range(0, int.MaxValue)]
    public required decimal Total { get; init; }

    /// <summary>The currency of the total, as an ISO 4217 code.</summary>
    [RegularExpression(Patterns.Currency, ErrorMessage = Patterns.CurrencySentence)]
    public required string Currency { get; init; }

    /// <summary>The measurement of a line of an order.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="order">The order.</param>
    /// <param name="line">The line.</param>
    public static SaleEvent Of(ObjectId id, Order order, OrderLine line)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(line);
        return new()
        {
            Id = id,
            TenantId = order.TenantId,
            At = order.PlacedAt,
            StoreId = order.StoreId,
            ProductId = line.ProductId,
            OrderId = order.Id,
            Quantity = line.Quantity,
            Total = line.Total,
            Currency = order.Currency,
        };
    }
}
