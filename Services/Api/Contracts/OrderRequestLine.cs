namespace Platform.Api.Contracts;

/// <summary>One product to order.</summary>
/// <param name="ProductId">The product's id.</param>
/// <param name="Quantity">How many: 1 to 10000.</param>
public sealed record OrderRequestLine(string ProductId, int Quantity);
