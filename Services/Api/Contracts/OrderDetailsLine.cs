namespace Platform.Api.Contracts;

/// <summary>One product on an order, as it was when the order was placed.</summary>
/// <param name="ProductId">The product's id.</param>
/// <param name="Sku">The stock-keeping unit.</param>
/// <param name="Name">The product's name.</param>
/// <param name="Quantity">How many.</param>
/// <param name="UnitPrice">The price of one.</param>
/// <param name="Total">Quantity times unit price.</param>
public sealed record OrderDetailsLine(
    string ProductId, string Sku, string Name, int Quantity, decimal UnitPrice, decimal Total);
