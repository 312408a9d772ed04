using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>What a customer bought from one store.</summary>
public sealed record Order : ITenantOwned
{
    /// <summary>The greatest amount of an order or of one of its lines, in units of its currency.</summary>
    internal const string MaxAmount = "1000000000000";

    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The order's name to people; unique per tenant.</summary>
    [StringLength(40, MinimumLength = 1)]
    public required string Number { get; init; }

    /// <summary>The customer, of the same tenant.</summary>
    public required ObjectId CustomerId { get; init; }

    /// <summary>The store that serves the order, of the same tenant.</summary>
    public required ObjectId StoreId { get; init; }

    /// <summary>What was bought; each product on one line.</summary>
    [MinLength(1), MaxLength(100)]
    public required IReadOnlyList<OrderLine> Lines { get; init; }

    /// <summary>How many items the lines have together; missing in orders that programs before migration 0002 wrote, until it has run.</summary>
    [Range(0, int.MaxValue)]
    public int? ItemCount { get; init; }

    /// <summary>The currency of all amounts, as an ISO 4217 code.</summary>
    [RegularExpression(Patterns.Currency, ErrorMessage = Patterns.CurrencySentence)]
    public required string Currency { get; init; }

    /// <summary>The sum of the lines, in units of <see cref="Currency"/>.</summary>
    [Range(typeof(decimal), "0", MaxAmount)]
    public required decimal Subtotal { get; init; }

    /// <summary>Tax on the lines, in units of <see cref="Currency"/>.</summary>
    [Range(typeof(decimal), "0", MaxAmount)]
    public required decimal Tax { get; init; }

    /// <summary>Subtotal plus tax.</summary>
    [Range(typeof(decimal), "0", MaxAmount)]
    public required decimal Total { get; init; }

    /// <summary>How far the order has come.</summary>
    public required OrderStatus Status { get; init; }

    /// <summary>When the customer placed the order (UTC).</summary>
    public required DateTime PlacedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
