namespace Platform.Api.Contracts;

/// <summary>One product to order.</summary>
/// <param name="ProductId">The product's id.</param>
/// <param name="Quantity">How many: as many as a line of an order may have.</param>
public sealed record OrderRequestLine(string ProductId, int Quantity);
