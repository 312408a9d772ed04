namespace Platform.Api.Contracts;

/// <summary>A change of a product's stock in a store.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="Kind">Why: sold, received, returned or counted.</param>
/// <param name="Change">By how many pieces; negative when they became less.</param>
/// <param name="OnHand">Pieces on hand afterwards.</param>
public sealed record StockChange(DateTime At, string Kind, int Change, int OnHand);
